BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0008');
CREATE TABLE concerns (
	number INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	CONSTRAINT pk_concerns PRIMARY KEY (number), 
	CONSTRAINT ux_concerns_id UNIQUE (id)
);
CREATE TABLE dispositions (
	concern_id VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	CONSTRAINT pk_dispositions PRIMARY KEY (concern_id), 
	CONSTRAINT fk_dispositions_concern FOREIGN KEY(concern_id) REFERENCES concerns (id)
);
CREATE TABLE events (
	run_id VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	payload TEXT NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (run_id, seq)
);
INSERT INTO "events" VALUES('waits',1,'run_started','','2026-11-30T03:18:53.102894+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.102894Z","kind":"run_started","record":{"run_id":"waits","job":"pay","source":"/srv/pay/paying.py:pay","inputs":{"amount":82000},"status":"running","started":"2026-11-30T03:18:53.102894Z","finished":null,"report":null,"plan":{"job":"pay","goal":"Pay the invoice","n_agents":2,"structure":"flat","levels":1,"span":8,"tree":[{"id":"primary","kind":"primary","parent":null,"members":["check/check","transfer/transfer"],"domain":null},{"id":"check/check","kind":"agent","parent":"primary","members":["check/check"],"domain":"check"},{"id":"transfer/transfer","kind":"agent","parent":"primary","members":["transfer/transfer"],"domain":"transfer"}],"tasks":[{"id":"check/check","goal":"check","depends_on":[],"needs":[],"phase":"check","domain":null,"capability":"check","tokens":null,"seconds":null,"touches":[],"priority":0,"irreversible":false,"gate":null,"error_consequence":"minor","contract":"int@1.0+644595857f56","verifies":[],"kind":"function","provider":null,"model":null,"attempts":[3],"replicas":1,"agree":1,"replica_models":[],"success":[],"standby":null,"standby_model":null},{"id":"transfer/transfer","goal":"transfer","depends_on":[],"needs":["check"],"phase":"transfer","domain":null,"capability":"transfer","tokens":null,"seconds":null,"touches":[],"priority":0,"irreversible":true,"gate":{"reason":"money leaves","approvers":["mia","tom"],"expires_seconds":null,"on_expiry":"deny","staged":false,"asks_ready":true},"error_consequence":"minor","contract":"str@1.0+38a346cadbd3","verifies":[],"kind":"function","provider":null,"model":null,"attempts":[3],"replicas":1,"agree":1,"replica_models":[],"success":[],"standby":null,"standby_model":null}],"phases":[{"when":"","until":"","rounds":1,"loop":[],"replicas":1,"agree":1,"standby":"","success":[],"verify":[],"attempts":1,"name":"check","tasks":["check/check"],"sync":{"owner":"primary","policy":"phase","hubs":[]},"needs":[],"continues":null,"gate":[],"single":true,"integration":"none"},{"when":"","until":"","rounds":1,"loop":[],"replicas":1,"agree":1,"standby":"","success":[],"verify":[],"attempts":1,"name":"transfer","tasks":["transfer/transfer"],"sync":{"owner":"primary","policy":"phase","hubs":[]},"needs":["check"],"continues":null,"gate":["transfer/transfer"],"single":true,"integration":"none"}],"owners":{"check/check":"check/check","transfer/transfer":"transfer/transfer","primary":"primary"},"handoffs":{"before":1,"after":1,"crossing":0,"between_teams":0,"at_sync_points":0,"tokens_saved":{"low":0.0,"high":0.0}},"pairs":{"mesh":1,"structure":2,"scoped":2},"overhead":{"band":{"low":0.1,"high":0.15},"predicted":0.1},"makespan":{"predicted":null,"critical_path":null,"work":null,"coordination":null,"max_concurrency":null,"bound_by":null,"bound_seconds":null},"limits":[{"kind":"function","provider":null,"thing":null,"at_once":256,"requests_per_minute":null,"tokens_per_minute":null},{"kind":"model","provider":null,"thing":null,"at_once":16,"requests_per_minute":null,"tokens_per_minute":null},{"kind":"command","provider":null,"thing":null,"at_once":2,"requests_per_minute":null,"tokens_per_minute":null},{"kind":"process","provider":null,"thing":null,"at_once":2,"requests_per_minute":null,"tokens_per_minute":null}],"spending":{"work_tokens":null,"assumed":0,"coordination_tokens":null,"tokens":null,"cost":null,"currency":null,"unpriced":[]},"profile":{"overhead":{"low":0.1,"high":0.15},"countermeasures":"simple escalation","topology":"hub; a mesh is still affordable","fails_first":"saturation of the hub","integration":"direct, with simple contracts","visibility":"everyone sees everything","sync":"as needed","levels":"2","next_transition":{"at":9,"agents_away":7,"change":"add a level of leads","why":"nobody coordinates more than 8 direct reports"}},"infrastructure":[],"organisation":{"structure":null,"agents":null,"sync":null,"visibility":null,"approval":null,"single_agent_success":null},"budget":{"seconds":null,"tokens":null,"calls":null,"cost":null,"final_call":0.0,"per":null},"standing":[],"priors":{"context_tokens":200000,"context_share":0.8,"task_tokens":50000,"over_decomposed_share":0.1,"under_decomposed_share":0.9,"handoff_tokens_low":10000,"handoff_tokens_high":30000,"sequential_share":0.9,"strong_baseline":0.45,"dispatch_seconds":0.0015,"sync_seconds":0.03,"integration_seconds":0.0},"domains":[],"open":[],"terms":[{"phase":"check","consumer":"check","needs":null,"contracts":[],"delivers":"int@1.0+644595857f56","strictness":"strict","strictness_stated":"usual","timeout_seconds":300.0,"timeout_stated":"usual","attempts":3,"attempts_stated":"usual","coupling":null,"reason":"","wait_seconds":null,"when_missing":"nothing is needed","stands_in":[]},{"phase":"transfer","consumer":"transfer","needs":"check","contracts":["int@1.0+644595857f56"],"delivers":"str@1.0+38a346cadbd3","strictness":"strict","strictness_stated":"usual","timeout_seconds":300.0,"timeout_stated":"usual","attempts":3,"attempts_stated":"usual","coupling":null,"reason":"","wait_seconds":null,"when_missing":"continues with what is there; does not start when nothing is","stands_in":[]}],"contracts":{"int@1.0+644595857f56":{"":"integer"}},"agents":{},"delivers":[],"reasons":[{"rule":"R1","text":"2 agents: flat, because one coordinator can still follow all agents, so a hierarchy would only add cost"},{"rule":"R1","text":"the tasks depend on each other: the coordinator hands on directly from one to the next"},{"rule":"R2","text":"1 coordinating level (1 recommended): no one has more than 8 direct reports"},{"rule":"D4","text":"2 phases, declared by the job; each ends with a sync point"},{"rule":"D6","text":"one owner for each of 2 tasks, 1 integration and 0 dependencies between teams"}],"findings":[]},"flow_run_id":null,"parent_run_id":null,"parent_task":null,"damage":null},"fresh":false}');
INSERT INTO "events" VALUES('waits',2,'run_taken','','2026-11-30T03:18:53.124784+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.124784Z","kind":"run_taken","token":1,"host":"host","pid":549,"idle_since":null}');
INSERT INTO "events" VALUES('waits',3,'phase_started','check','2026-11-30T03:18:53.682904+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.682904Z","kind":"phase_started","phase":"check","expected":1,"compared":null}');
INSERT INTO "events" VALUES('waits',4,'step_started','check/check','2026-11-30T03:18:53.685680+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.685680Z","key":"18831b91de8e198147627d92ee29574d03311b90b9250321a04905a92616882a","task_id":"check/check","kind":"step_started","phase":"check","node":"check/check","step":"task","replica":0}');
INSERT INTO "events" VALUES('waits',5,'step_ended','check/check','2026-11-30T03:18:53.686560+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.686560Z","kind":"step_ended","record":{"run_id":"waits","key":"18831b91de8e198147627d92ee29574d03311b90b9250321a04905a92616882a","phase":"check","node":"check/check","kind":"task","started":"2026-11-30T03:18:53.685680Z","finished":"2026-11-30T03:18:53.686560Z","handoff":{"task_id":"check/check","status":"completed","summary":"82000","output_location":{"location":"waits/18831b91de8e198147627d92ee29574d03311b90b9250321a04905a92616882a-60fdc5f5d7bd6d66.json","sha256":"60fdc5f5d7bd6d6634d32ff91025971972b9ddf587ad29742fe4db6c7188ba01","size_bytes":5,"contract":"int@1.0+644595857f56","content":"82000"},"dependencies":[],"next_steps":[],"producer":"check/check","assignment_id":"check/check#1","schema_version":"1.6","confidence":1.0,"usage":{"tokens_in":null,"tokens_out":null,"calls":1,"seconds":0.0006788410000808653,"cost":null},"concerns":[],"error":null,"attempts":1,"repairs":[],"fallback":null,"received":{"bytes_by_value":0,"bytes_by_reference":0},"wrapped_up":false,"shortfall":"","stopped_by":null,"rounds":1,"kept_from":"","replicas":null,"verification":null},"code":"function-cpython-311-3:9e89437ebd.e3b0c44298","model":null,"round":1,"interim":false,"replica":0,"basis":""}}');
INSERT INTO "events" VALUES('waits',6,'phase_ended','check','2026-11-30T03:18:53.723394+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.723394Z","kind":"phase_ended","phase":"check"}');
INSERT INTO "events" VALUES('waits',7,'phase_started','transfer','2026-11-30T03:18:53.726342+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.726342Z","kind":"phase_started","phase":"transfer","expected":1,"compared":null}');
INSERT INTO "events" VALUES('waits',8,'gate_raised','g-waits','2026-11-30T03:18:53.730439+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.730439Z","kind":"gate_raised","record":{"id":"g-waits","run_id":"waits","key":"9c3503dfa3c3f094a50d48612e3cce782490958924a884f80a6a7e8ba154a8df","node":"transfer/transfer","question":"begin","note":"","action":{"agent":"transfer","task_id":"transfer/transfer","phase":"transfer","effect":"irreversible","arguments":{"inputs":{"amount":82000}},"inputs":[{"task_id":"check/check","version":"60fdc5f5d7bd6d6634d32ff91025971972b9ddf587ad29742fe4db6c7188ba01"}],"missing":[],"preview":"transfer 82,000 to ACME","preview_digest":"62844b21984b280cf67b50d1c5b0b5c374a18ef5cfa2f2f825359c114be3cc7e","preview_trouble":"","code":"function-cpython-311-3:8f3f208286.e3b0c44298"},"digest":"080453ec2d8295c88bfbec2a0d05033cc6a8f459f2345b7845918dc2b0e72630","nonce":"742045fa6fa2b177cddb23344bb4ca8d","terms":{"reason":"money leaves","approvers":["mia","tom"],"expires_seconds":null,"on_expiry":"deny","staged":false,"asks_ready":true},"readiness":[{"agent":"check","answer":"not_asked","reason":""},{"agent":"transfer","answer":"not_asked","reason":""}],"concerns":[],"at":"2026-11-30T03:18:53.730439Z","expires":null,"answers":[],"closed":"","used":false}}');
INSERT INTO "events" VALUES('waits',9,'exception_pushed','','2026-11-30T03:18:53.736419+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.736419Z","kind":"exception_pushed","report":{"trigger":"blocked","level":"warning","path":["primary","transfer/transfer"],"message":"transfer/transfer waits for a person at its gate; may it begin?","at":"2026-11-30T03:18:53.736419Z"}}');
INSERT INTO "events" VALUES('waits',10,'step_ended','transfer/transfer','2026-11-30T03:18:53.736419+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.736419Z","kind":"step_ended","record":{"run_id":"waits","key":"9c3503dfa3c3f094a50d48612e3cce782490958924a884f80a6a7e8ba154a8df","phase":"transfer","node":"transfer/transfer","kind":"task","started":"2026-11-30T03:18:53.736419Z","finished":"2026-11-30T03:18:53.736419Z","handoff":{"task_id":"transfer/transfer","status":"blocked","summary":"transfer did not deliver: transfer/transfer waits for a person at its gate; may it begin?","output_location":null,"dependencies":[],"next_steps":[],"producer":"transfer/transfer","assignment_id":"transfer/transfer#1","schema_version":"1.6","confidence":0.0,"usage":{"tokens_in":null,"tokens_out":null,"calls":0,"seconds":0.0,"cost":null},"concerns":[],"error":{"kind":"ApprovalPending","message":"transfer/transfer waits for a person at its gate; may it begin?","can_pass":false,"next_step":"look: echelon gates --run waits; answer each: echelon gates approve ID --reason WHY (or deny); then: echelon resume waits","dependency":"","causes":[],"until":null,"waits_for":"","asked":""},"attempts":0,"repairs":[],"fallback":null,"received":{"bytes_by_value":32,"bytes_by_reference":5},"wrapped_up":false,"shortfall":"","stopped_by":null,"rounds":1,"kept_from":"","replicas":null,"verification":null},"code":"","model":null,"round":1,"interim":false,"replica":0,"basis":""}}');
INSERT INTO "events" VALUES('waits',11,'phase_ended','transfer','2026-11-30T03:18:53.739702+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.739702Z","kind":"phase_ended","phase":"transfer"}');
INSERT INTO "events" VALUES('waits',12,'run_ended','','2026-11-30T03:18:53.748633+00:00','{"run_id":"waits","at":"2026-11-30T03:18:53.748633Z","kind":"run_ended","status":"waiting","finished":"2026-11-30T03:18:53.748633Z","report":"/srv/pay/home/runs/waits/report"}');
INSERT INTO "events" VALUES('answered',1,'run_started','','2026-11-30T03:19:01.031641+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.031641Z","kind":"run_started","record":{"run_id":"answered","job":"pay","source":"/srv/pay/paying.py:pay","inputs":{"amount":500},"status":"running","started":"2026-11-30T03:19:01.031641Z","finished":null,"report":null,"plan":{"job":"pay","goal":"Pay the invoice","n_agents":2,"structure":"flat","levels":1,"span":8,"tree":[{"id":"primary","kind":"primary","parent":null,"members":["check/check","transfer/transfer"],"domain":null},{"id":"check/check","kind":"agent","parent":"primary","members":["check/check"],"domain":"check"},{"id":"transfer/transfer","kind":"agent","parent":"primary","members":["transfer/transfer"],"domain":"transfer"}],"tasks":[{"id":"check/check","goal":"check","depends_on":[],"needs":[],"phase":"check","domain":null,"capability":"check","tokens":null,"seconds":null,"touches":[],"priority":0,"irreversible":false,"gate":null,"error_consequence":"minor","contract":"int@1.0+644595857f56","verifies":[],"kind":"function","provider":null,"model":null,"attempts":[3],"replicas":1,"agree":1,"replica_models":[],"success":[],"standby":null,"standby_model":null},{"id":"transfer/transfer","goal":"transfer","depends_on":[],"needs":["check"],"phase":"transfer","domain":null,"capability":"transfer","tokens":null,"seconds":null,"touches":[],"priority":0,"irreversible":true,"gate":{"reason":"money leaves","approvers":["mia","tom"],"expires_seconds":null,"on_expiry":"deny","staged":false,"asks_ready":true},"error_consequence":"minor","contract":"str@1.0+38a346cadbd3","verifies":[],"kind":"function","provider":null,"model":null,"attempts":[3],"replicas":1,"agree":1,"replica_models":[],"success":[],"standby":null,"standby_model":null}],"phases":[{"when":"","until":"","rounds":1,"loop":[],"replicas":1,"agree":1,"standby":"","success":[],"verify":[],"attempts":1,"name":"check","tasks":["check/check"],"sync":{"owner":"primary","policy":"phase","hubs":[]},"needs":[],"continues":null,"gate":[],"single":true,"integration":"none"},{"when":"","until":"","rounds":1,"loop":[],"replicas":1,"agree":1,"standby":"","success":[],"verify":[],"attempts":1,"name":"transfer","tasks":["transfer/transfer"],"sync":{"owner":"primary","policy":"phase","hubs":[]},"needs":["check"],"continues":null,"gate":["transfer/transfer"],"single":true,"integration":"none"}],"owners":{"check/check":"check/check","transfer/transfer":"transfer/transfer","primary":"primary"},"handoffs":{"before":1,"after":1,"crossing":0,"between_teams":0,"at_sync_points":0,"tokens_saved":{"low":0.0,"high":0.0}},"pairs":{"mesh":1,"structure":2,"scoped":2},"overhead":{"band":{"low":0.1,"high":0.15},"predicted":0.1},"makespan":{"predicted":null,"critical_path":null,"work":null,"coordination":null,"max_concurrency":null,"bound_by":null,"bound_seconds":null},"limits":[{"kind":"function","provider":null,"thing":null,"at_once":256,"requests_per_minute":null,"tokens_per_minute":null},{"kind":"model","provider":null,"thing":null,"at_once":16,"requests_per_minute":null,"tokens_per_minute":null},{"kind":"command","provider":null,"thing":null,"at_once":2,"requests_per_minute":null,"tokens_per_minute":null},{"kind":"process","provider":null,"thing":null,"at_once":2,"requests_per_minute":null,"tokens_per_minute":null}],"spending":{"work_tokens":null,"assumed":0,"coordination_tokens":null,"tokens":null,"cost":null,"currency":null,"unpriced":[]},"profile":{"overhead":{"low":0.1,"high":0.15},"countermeasures":"simple escalation","topology":"hub; a mesh is still affordable","fails_first":"saturation of the hub","integration":"direct, with simple contracts","visibility":"everyone sees everything","sync":"as needed","levels":"2","next_transition":{"at":9,"agents_away":7,"change":"add a level of leads","why":"nobody coordinates more than 8 direct reports"}},"infrastructure":[],"organisation":{"structure":null,"agents":null,"sync":null,"visibility":null,"approval":null,"single_agent_success":null},"budget":{"seconds":null,"tokens":null,"calls":null,"cost":null,"final_call":0.0,"per":null},"standing":[],"priors":{"context_tokens":200000,"context_share":0.8,"task_tokens":50000,"over_decomposed_share":0.1,"under_decomposed_share":0.9,"handoff_tokens_low":10000,"handoff_tokens_high":30000,"sequential_share":0.9,"strong_baseline":0.45,"dispatch_seconds":0.0015,"sync_seconds":0.03,"integration_seconds":0.0},"domains":[],"open":[],"terms":[{"phase":"check","consumer":"check","needs":null,"contracts":[],"delivers":"int@1.0+644595857f56","strictness":"strict","strictness_stated":"usual","timeout_seconds":300.0,"timeout_stated":"usual","attempts":3,"attempts_stated":"usual","coupling":null,"reason":"","wait_seconds":null,"when_missing":"nothing is needed","stands_in":[]},{"phase":"transfer","consumer":"transfer","needs":"check","contracts":["int@1.0+644595857f56"],"delivers":"str@1.0+38a346cadbd3","strictness":"strict","strictness_stated":"usual","timeout_seconds":300.0,"timeout_stated":"usual","attempts":3,"attempts_stated":"usual","coupling":null,"reason":"","wait_seconds":null,"when_missing":"continues with what is there; does not start when nothing is","stands_in":[]}],"contracts":{"int@1.0+644595857f56":{"":"integer"}},"agents":{},"delivers":[],"reasons":[{"rule":"R1","text":"2 agents: flat, because one coordinator can still follow all agents, so a hierarchy would only add cost"},{"rule":"R1","text":"the tasks depend on each other: the coordinator hands on directly from one to the next"},{"rule":"R2","text":"1 coordinating level (1 recommended): no one has more than 8 direct reports"},{"rule":"D4","text":"2 phases, declared by the job; each ends with a sync point"},{"rule":"D6","text":"one owner for each of 2 tasks, 1 integration and 0 dependencies between teams"}],"findings":[]},"flow_run_id":null,"parent_run_id":null,"parent_task":null,"damage":null},"fresh":false}');
INSERT INTO "events" VALUES('answered',2,'run_taken','','2026-11-30T03:19:01.075743+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.075743Z","kind":"run_taken","token":1,"host":"host","pid":849,"idle_since":null}');
INSERT INTO "events" VALUES('answered',3,'phase_started','check','2026-11-30T03:19:01.189533+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.189533Z","kind":"phase_started","phase":"check","expected":1,"compared":null}');
INSERT INTO "events" VALUES('answered',4,'step_started','check/check','2026-11-30T03:19:01.192439+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.192439Z","key":"ffea5772a813af19d4795acbfa2ccb77247a90d068c0b084a9733815534523a0","task_id":"check/check","kind":"step_started","phase":"check","node":"check/check","step":"task","replica":0}');
INSERT INTO "events" VALUES('answered',5,'step_ended','check/check','2026-11-30T03:19:01.193421+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.193421Z","kind":"step_ended","record":{"run_id":"answered","key":"ffea5772a813af19d4795acbfa2ccb77247a90d068c0b084a9733815534523a0","phase":"check","node":"check/check","kind":"task","started":"2026-11-30T03:19:01.192439Z","finished":"2026-11-30T03:19:01.193421Z","handoff":{"task_id":"check/check","status":"completed","summary":"500","output_location":{"location":"answered/ffea5772a813af19d4795acbfa2ccb77247a90d068c0b084a9733815534523a0-0604cd3138feed20.json","sha256":"0604cd3138feed202ef293e062da2f4720f77a05d25ee036a7a01c9cfcdd1f0a","size_bytes":3,"contract":"int@1.0+644595857f56","content":"500"},"dependencies":[],"next_steps":[],"producer":"check/check","assignment_id":"check/check#1","schema_version":"1.6","confidence":1.0,"usage":{"tokens_in":null,"tokens_out":null,"calls":1,"seconds":0.0006926900000507885,"cost":null},"concerns":[],"error":null,"attempts":1,"repairs":[],"fallback":null,"received":{"bytes_by_value":0,"bytes_by_reference":0},"wrapped_up":false,"shortfall":"","stopped_by":null,"rounds":1,"kept_from":"","replicas":null,"verification":null},"code":"function-cpython-311-3:9e89437ebd.e3b0c44298","model":null,"round":1,"interim":false,"replica":0,"basis":""}}');
INSERT INTO "events" VALUES('answered',6,'phase_ended','check','2026-11-30T03:19:01.208137+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.208137Z","kind":"phase_ended","phase":"check"}');
INSERT INTO "events" VALUES('answered',7,'phase_started','transfer','2026-11-30T03:19:01.219654+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.219654Z","kind":"phase_started","phase":"transfer","expected":1,"compared":null}');
INSERT INTO "events" VALUES('answered',8,'gate_raised','g-answered','2026-11-30T03:19:01.232166+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.232166Z","kind":"gate_raised","record":{"id":"g-answered","run_id":"answered","key":"7ae07f059e8478727672f2ee37974a65d12abdd6cd1b57e723d3a8fdfed20b78","node":"transfer/transfer","question":"begin","note":"","action":{"agent":"transfer","task_id":"transfer/transfer","phase":"transfer","effect":"irreversible","arguments":{"inputs":{"amount":500}},"inputs":[{"task_id":"check/check","version":"0604cd3138feed202ef293e062da2f4720f77a05d25ee036a7a01c9cfcdd1f0a"}],"missing":[],"preview":"transfer 500 to ACME","preview_digest":"b385628c80fdaf7486e6bbae1359fd2fd9e60df666624a5b95b5acd83132115a","preview_trouble":"","code":"function-cpython-311-3:8f3f208286.e3b0c44298"},"digest":"5b9d411dbb682faa22e2f668c5ad546d6574e57fc7a538706ab51b4a0dd3258b","nonce":"058b928652d88098c3539f46fde027a1","terms":{"reason":"money leaves","approvers":["mia","tom"],"expires_seconds":null,"on_expiry":"deny","staged":false,"asks_ready":true},"readiness":[{"agent":"check","answer":"not_asked","reason":""},{"agent":"transfer","answer":"not_asked","reason":""}],"concerns":[],"at":"2026-11-30T03:19:01.232166Z","expires":null,"answers":[],"closed":"","used":false}}');
INSERT INTO "events" VALUES('answered',9,'exception_pushed','','2026-11-30T03:19:01.251660+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.251660Z","kind":"exception_pushed","report":{"trigger":"blocked","level":"warning","path":["primary","transfer/transfer"],"message":"transfer/transfer waits for a person at its gate; may it begin?","at":"2026-11-30T03:19:01.251660Z"}}');
INSERT INTO "events" VALUES('answered',10,'step_ended','transfer/transfer','2026-11-30T03:19:01.251660+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.251660Z","kind":"step_ended","record":{"run_id":"answered","key":"7ae07f059e8478727672f2ee37974a65d12abdd6cd1b57e723d3a8fdfed20b78","phase":"transfer","node":"transfer/transfer","kind":"task","started":"2026-11-30T03:19:01.251660Z","finished":"2026-11-30T03:19:01.251660Z","handoff":{"task_id":"transfer/transfer","status":"blocked","summary":"transfer did not deliver: transfer/transfer waits for a person at its gate; may it begin?","output_location":null,"dependencies":[],"next_steps":[],"producer":"transfer/transfer","assignment_id":"transfer/transfer#1","schema_version":"1.6","confidence":0.0,"usage":{"tokens_in":null,"tokens_out":null,"calls":0,"seconds":0.0,"cost":null},"concerns":[],"error":{"kind":"ApprovalPending","message":"transfer/transfer waits for a person at its gate; may it begin?","can_pass":false,"next_step":"look: echelon gates --run answered; answer each: echelon gates approve ID --reason WHY (or deny); then: echelon resume answered","dependency":"","causes":[],"until":null,"waits_for":"","asked":""},"attempts":0,"repairs":[],"fallback":null,"received":{"bytes_by_value":28,"bytes_by_reference":3},"wrapped_up":false,"shortfall":"","stopped_by":null,"rounds":1,"kept_from":"","replicas":null,"verification":null},"code":"","model":null,"round":1,"interim":false,"replica":0,"basis":""}}');
INSERT INTO "events" VALUES('answered',11,'phase_ended','transfer','2026-11-30T03:19:01.266736+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.266736Z","kind":"phase_ended","phase":"transfer"}');
INSERT INTO "events" VALUES('answered',12,'run_ended','','2026-11-30T03:19:01.336375+00:00','{"run_id":"answered","at":"2026-11-30T03:19:01.336375Z","kind":"run_ended","status":"waiting","finished":"2026-11-30T03:19:01.336375Z","report":"/srv/pay/home/runs/answered/report"}');
INSERT INTO "events" VALUES('answered',13,'gate_answered','g-answered','2026-11-30T03:19:11.448853+00:00','{"run_id":"answered","at":"2026-11-30T03:19:11.448853Z","gate_id":"g-answered","kind":"gate_answered","answer":{"verdict":"approve","author":"ben","reason":"no right to","at":"2026-11-30T03:19:11.448853Z","channel":"cli","digest":"5b9d411dbb682faa22e2f668c5ad546d6574e57fc7a538706ab51b4a0dd3258b","nonce":"058b928652d88098c3539f46fde027a1","partial":false,"output":null,"refused":"ben may not answer it; mia, tom may"}}');
INSERT INTO "events" VALUES('answered',14,'gate_answered','g-answered','2026-11-30T03:19:16.963743+00:00','{"run_id":"answered","at":"2026-11-30T03:19:16.963743Z","gate_id":"g-answered","kind":"gate_answered","answer":{"verdict":"approve","author":"mia","reason":"seen","at":"2026-11-30T03:19:16.963743Z","channel":"cli","digest":"5b9d411dbb682faa22e2f668c5ad546d6574e57fc7a538706ab51b4a0dd3258b","nonce":"058b928652d88098c3539f46fde027a1","partial":false,"output":null,"refused":""}}');
CREATE TABLE gates (
	number INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	open INTEGER NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (id)
);
INSERT INTO "gates" VALUES(1,'g-waits','waits',8,1);
INSERT INTO "gates" VALUES(2,'g-answered','answered',8,0);
CREATE TABLE reopenings (
	number INTEGER NOT NULL, 
	concern_id VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	disposed_seq INTEGER NOT NULL, 
	PRIMARY KEY (number), 
	FOREIGN KEY(concern_id) REFERENCES concerns (id)
);
CREATE TABLE runs (
	number INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	job VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	inputs TEXT NOT NULL, 
	inputs_digest VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	started VARCHAR NOT NULL, 
	finished VARCHAR, 
	report VARCHAR, 
	token INTEGER DEFAULT '0' NOT NULL, flow_run_id VARCHAR, seq INTEGER DEFAULT '0' NOT NULL, plan_seq INTEGER, parent_run_id VARCHAR, parent_task VARCHAR, counted INTEGER, 
	PRIMARY KEY (number), 
	UNIQUE (run_id)
);
INSERT INTO "runs" VALUES(1,'waits','pay','/srv/pay/paying.py:pay','{"amount":82000}','d14bda912b6865c0b579de0743302056d3b80b166db21c5604ef9bafeb70de8f','waiting','2026-11-30T03:18:53.102894Z','2026-11-30T03:18:53.748633Z','/srv/pay/home/runs/waits/report',1,NULL,12,1,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(2,'answered','pay','/srv/pay/paying.py:pay','{"amount":500}','0780491803d7a0848aa262e346d8b1a3d7cfa31fe7655948de034ec7c10f84d0','waiting','2026-11-30T03:19:01.031641Z','2026-11-30T03:19:01.336375Z','/srv/pay/home/runs/answered/report',1,NULL,14,1,NULL,NULL,NULL);
CREATE TABLE sessions (
	number INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	token INTEGER NOT NULL, 
	expires FLOAT NOT NULL, 
	seen VARCHAR NOT NULL, 
	ended VARCHAR, 
	record TEXT NOT NULL, part VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (number), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "sessions" VALUES(1,'waits',1,1.79600874512799191478e+09,'2026-11-30T03:18:54.113368+00:00','2026-11-30T03:18:54.113368+00:00','{"run_id":"waits","part":"","under":0,"token":1,"host":"host","machine":"host/a12b9856-d097-46ad-8b15-2620b70098f3/pid:[4026531836]","pid":549,"process_started":2325.26,"began":"2026-11-30T03:18:53.124784Z"}','');
INSERT INTO "sessions" VALUES(2,'answered',1,1.79600875307701325417e+09,'2026-11-30T03:19:01.602865+00:00','2026-11-30T03:19:01.602865+00:00','{"run_id":"answered","part":"","under":0,"token":1,"host":"host","machine":"host/a12b9856-d097-46ad-8b15-2620b70098f3/pid:[4026531836]","pid":849,"process_started":2335.39,"began":"2026-11-30T03:19:01.075743Z"}','');
CREATE TABLE standing_claims (
	run_id VARCHAR NOT NULL, 
	part VARCHAR NOT NULL, 
	token INTEGER NOT NULL, 
	under INTEGER NOT NULL, 
	job VARCHAR NOT NULL, 
	held_tokens BIGINT NOT NULL, 
	held_calls BIGINT NOT NULL, 
	held_cost FLOAT NOT NULL, 
	used_tokens BIGINT NOT NULL, 
	used_calls BIGINT NOT NULL, 
	used_cost FLOAT NOT NULL, 
	PRIMARY KEY (run_id, part, token)
);
CREATE TABLE standing_spent (
	run_id VARCHAR NOT NULL, 
	token INTEGER NOT NULL, 
	slot INTEGER NOT NULL, 
	job VARCHAR NOT NULL, 
	tokens BIGINT NOT NULL, 
	calls BIGINT NOT NULL, 
	cost FLOAT NOT NULL, 
	unpriced_tokens BIGINT NOT NULL, 
	PRIMARY KEY (run_id, token, slot)
);
CREATE TABLE steps (
	run_id VARCHAR NOT NULL, 
	seq INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	phase VARCHAR NOT NULL, 
	node VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, basis VARCHAR, 
	CONSTRAINT pk_steps PRIMARY KEY (run_id, seq)
)
 WITHOUT ROWID

;
INSERT INTO "steps" VALUES('waits',5,'18831b91de8e198147627d92ee29574d03311b90b9250321a04905a92616882a','check','check/check','completed',NULL);
INSERT INTO "steps" VALUES('waits',10,'9c3503dfa3c3f094a50d48612e3cce782490958924a884f80a6a7e8ba154a8df','transfer','transfer/transfer','blocked',NULL);
INSERT INTO "steps" VALUES('answered',5,'ffea5772a813af19d4795acbfa2ccb77247a90d068c0b084a9733815534523a0','check','check/check','completed',NULL);
INSERT INTO "steps" VALUES('answered',10,'7ae07f059e8478727672f2ee37974a65d12abdd6cd1b57e723d3a8fdfed20b78','transfer','transfer/transfer','blocked',NULL);
CREATE INDEX ix_runs_job_inputs ON runs (job, inputs_digest, status);
CREATE INDEX ix_runs_flow_run ON runs (flow_run_id);
CREATE INDEX ix_steps_key ON steps ("key");
CREATE INDEX ix_steps_run_phase ON steps (run_id, phase, node);
CREATE UNIQUE INDEX ux_steps_completed ON steps (run_id, "key") WHERE status = 'completed';
CREATE INDEX ix_concerns_run ON concerns (run_id);
CREATE UNIQUE INDEX ux_sessions_token ON sessions (run_id, part, token);
CREATE INDEX ix_runs_parent ON runs (parent_run_id);
CREATE INDEX ix_steps_basis ON steps (basis) WHERE basis IS NOT NULL;
CREATE INDEX ix_runs_job_counted ON runs (job, counted);
CREATE INDEX ix_standing_spent_job ON standing_spent (job, slot);
CREATE INDEX ix_standing_claims_job ON standing_claims (job);
CREATE INDEX ix_gates_run ON gates (run_id);
CREATE INDEX ix_gates_open ON gates (open) WHERE open = 1;
CREATE INDEX ix_reopenings_run ON reopenings (run_id);
COMMIT;
