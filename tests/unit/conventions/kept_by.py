"""Row of the conventions → tests in which the code that it names is seen to keep what it says (K)."""

RUNS = "tests/unit/coordination"
_BESIDE = f"{RUNS}/rolling/test_side_by_side.py"
_GATES = f"{RUNS}/gates/test_gates.py"
_READY = f"{RUNS}/gates/test_readiness.py"
_REPEATED = "tests/unit/cli/test_repeated_concerns.py"
_BOOKS = "tests/unit/resilience/standing/test_standing_books.py"
_FEATURES = f"{RUNS}/rolling/test_features.py"
_SPEAKING = f"{RUNS}/voice/test_speaking.py"
_TEXTS = "tests/unit/conventions/test_voice.py"
_AUDITING = f"{RUNS}/audit/test_auditing.py"
_CRITICAL = f"{RUNS}/success/test_critical.py"
_STAMPS = f"{RUNS}/success/test_rubber_stamps.py"
_VERIFYING = f"{RUNS}/success/test_verifying.py"

#: Row → tests in which the code is seen to keep it.
KEPT_BY: dict[str, tuple[str, ...]] = {
    "structure.single": ("tests/unit/planning/test_regime.py::test_the_number_of_agents_decides_the_structure",),
    "structure.leads": ("tests/unit/planning/test_tree.py::test_every_tree_keeps_span_depth_and_ownership",),
    "structure.span": (
        "tests/unit/planning/test_tree.py::test_every_tree_keeps_span_depth_and_ownership",
        "tests/unit/planning/test_regime.py::test_the_ninth_report_adds_a_level",
    ),
    "information.handoffs": (
        f"{RUNS}/test_graph_runs.py::test_each_task_gets_what_the_tasks_made_that_it_depends_on_and_nothing_else",
        f"{RUNS}/test_job_run.py::test_a_consumer_gets_what_the_phase_before_delivered_and_what_it_did_not",
    ),
    "information.exceptions": (f"{RUNS}/step/test_envelope.py::test_only_what_deviates_is_told",),
    "sync.phases": (f"{_BESIDE}::test_a_phase_begins_when_its_own_needs_are_done_whatever_else_is_at_work",),
    "sync.points": (
        f"{RUNS}/test_job_run.py::test_the_sync_point_believes_the_journal_alone",
        f"{_FEATURES}::test_an_unmerged_job_has_a_sync_point",
    ),
    "sync.waves": (
        f"{RUNS}/sync/test_waves.py::test_an_interval_is_so_many_tasks",
        f"{RUNS}/sync/test_waves.py::test_a_wave_is_told_what_those_before_it_have_revealed",
    ),
    "sync.flat": (
        f"{RUNS}/briefing/test_news.py::test_at_a_flat_moment_all_that_is_open_is_read_by_everybody_who_decides",
    ),
    "sync.continued": (f"{_FEATURES}::test_an_item_goes_on_while_another_one_is_still_at_the_beginning",),
    "sync.open": (f"{RUNS}/rolling/test_found_items.py::test_the_plan_is_on_record_before_anything_of_it_begins",),
    "sync.conditions": (
        f"{RUNS}/rolling/test_skipping.py::test_a_phase_that_is_not_wanted_is_skipped_with_its_reason_on_record",
    ),
    "sync.repeats": (
        f"{RUNS}/rolling/test_rounds.py::test_only_what_did_not_pass_is_done_again",
        f"{RUNS}/rolling/test_rounds.py::test_a_round_is_told_what_was_missing_and_given_what_it_delivered_before",
        f"{RUNS}/rolling/test_rounds.py::test_work_that_never_passes_ends_after_its_rounds_and_says_so",
    ),
    "sync.kept": (f"{RUNS}/reuse/test_incremental.py::test_what_has_not_changed_is_not_done_again",),
    "integration.owners": (
        f"{RUNS}/test_integrating.py::test_an_integrator_alone_integrates_everything_at_the_primary",
        f"{RUNS}/test_integrating.py::test_teams_integrate_then_domains_then_the_primary_each_its_own",
    ),
    "integration.early": (
        f"{RUNS}/sync/test_early.py::test_a_part_is_put_together_while_the_rest_is_at_work",
        f"{RUNS}/sync/test_early.py::test_it_is_the_integration_of_the_end_and_there_is_no_more_of_it",
    ),
    "integration.missing": (
        f"{RUNS}/test_integrating.py::test_an_integrator_gets_what_is_there_and_what_is_missing_with_the_reason",
    ),
    "proposals.taken": (
        f"{RUNS}/voice/test_proposals.py::test_a_phase_does_what_agents_of_an_earlier_one_propose",
        f"{RUNS}/voice/test_proposals.py::test_who_takes_them_takes_the_first_that_fit",
    ),
    "proposals.declined": (f"{RUNS}/voice/test_proposals.py::test_what_no_phase_takes_is_declined_and_listed",),
    "concerns.voice": (
        f"{_SPEAKING}::test_a_concern_is_on_record_while_its_agent_is_still_at_work",
        "tests/integration/voices/test_killed_runs.py::test_forty_commands_whose_run_is_killed",
    ),
    "concerns.routes": ("tests/unit/model/test_concern.py::test_confidence_and_impact_decide_where_a_concern_goes",),
    "concerns.doubt": (
        f"{RUNS}/autonomy/test_settling.py::test_a_stated_doubt_reaches_a_person_although_nothing_was_asked_for",
    ),
    "concerns.autonomy": (
        f"{RUNS}/autonomy/test_settling.py::test_an_agent_that_is_always_sure_and_right_half_of_the_time_is_narrowed",
        f"{RUNS}/autonomy/test_settling.py::test_what_no_earlier_run_has_seen_is_asked_about_and_then_known",
        f"{RUNS}/autonomy/test_situations.py::test_what_another_domain_uses_is_asked_about",
        f"{RUNS}/autonomy/test_situations.py::test_what_used_more_than_its_budget_is_asked_about",
        f"{RUNS}/autonomy/test_peers.py::test_a_peer_looks_at_what_is_known_and_not_trusted_yet",
    ),
    "concerns.ends": (
        "tests/unit/model/test_concern.py::test_a_disposition_has_an_author_a_reason_and_one_of_three_verdicts",
    ),
    "concerns.repeated": (f"{_REPEATED}::test_what_says_the_same_in_runs_of_one_job_is_one_line_with_its_last_run",),
    "failures.incidents": (f"{RUNS}/test_incidents.py::test_one_cause_is_told_loudly_once_however_many_it_hits",),
    "failures.fallbacks": (f"{RUNS}/test_fallbacks.py::test_what_stands_in_says_so_and_is_trusted_less",),
    "failures.breakers": (
        "tests/unit/resilience/breaker/test_breaker.py::test_it_opens_on_failures_in_a_row_or_on_their_rate",
        "tests/unit/resilience/breaker/test_breaker.py::test_a_refusal_says_why_and_when_the_next_trial_is",
    ),
    "failures.redundancy": (
        f"{RUNS}/redundancy/test_replicas.py::test_the_first_handoff_wins_and_the_others_are_stopped",
        f"{RUNS}/redundancy/test_replicas.py::test_the_majority_decides",
        f"{RUNS}/redundancy/test_replicas.py::test_a_standby_takes_over_from_one_that_hangs",
        f"{RUNS}/redundancy/test_replicas.py::test_a_standby_works_only_when_the_first_one_fails",
    ),
    "verification.success": (
        f"{RUNS}/success/test_checks.py::test_out_of_attempts_it_has_failed_and_names_the_check_and_the_gap",
        f"{RUNS}/success/test_checks.py::test_what_is_stated_in_words_is_told_and_counts_as_checked_by_nobody",
    ),
    "verification.critical": (
        f"{_CRITICAL}::test_results_on_the_critical_path_are_verified_and_done_again_with_what_is_missing",
        f"{_CRITICAL}::test_a_verifier_that_fails_leaves_results_of_which_nobody_knows",
        f"{_CRITICAL}::test_a_function_is_asked_about_the_contracts_that_it_takes",
    ),
    "verification.tried": (
        f"{_CRITICAL}::test_a_rubber_stamp_is_found_and_none_of_its_verdicts_counts",
        f"{_STAMPS}::test_a_rubber_stamp_of_a_phase_is_found_and_none_of_its_verdicts_counts",
    ),
    "verification.audit": (
        f"{_AUDITING}::test_what_leaves_a_key_out_is_rejected_and_falls_short",
        f"{_AUDITING}::test_a_concern_about_it_goes_to_a_person_and_its_owner_may_not_end_it",
        f"{_AUDITING}::test_an_agent_judges_besides_given_the_integration_and_its_parts",
        f"{_AUDITING}::test_audits_begin_at_a_size",
    ),
    "verification.conflicts": (
        f"{RUNS}/conflicts/test_settling.py::test_a_rule_decides_and_who_comes_later_knows_what_does_not_count",
        f"{RUNS}/conflicts/test_settling.py::test_who_integrates_knows_what_does_not_count",
    ),
    "verification.judges": (
        f"{_VERIFYING}::test_what_somebody_else_rejects_is_done_again",
        f"{_VERIFYING}::test_no_more_rounds_are_made_than_attempts_and_then_it_has_failed",
    ),
    "verification.tasks": (f"{RUNS}/test_graph_runs.py::test_a_task_that_checks_others_receives_what_it_checks",),
    "vocabulary.statuses": ("tests/unit/model/test_status.py::test_a_status_changes_along_the_table_and_no_other_way",),
    "vocabulary.couplings": (f"{RUNS}/test_fallbacks.py::test_coupling_decides_whether_consumers_start",),
    "contracts.envelope": ("tests/unit/model/test_handoff.py::test_the_envelope_has_exactly_the_agreed_fields",),
    "contracts.reference": (
        "tests/unit/model/test_handoff.py::test_an_output_is_there_when_it_completed_and_an_error_when_it_did_not",
    ),
    "contracts.outputs": (
        f"{RUNS}/step/test_steps.py::test_what_does_not_fit_is_refused_with_place_and_producer",
        f"{RUNS}/step/test_steps.py::test_a_flexible_contract_mends_on_record",
    ),
    "budgets.job": (
        "tests/unit/resilience/test_budget.py::test_every_level_can_refuse_and_then_none_is_charged",
        f"{RUNS}/test_final_call.py::test_every_agent_lands_in_what_the_job_kept_back_and_so_does_the_integration",
    ),
    "budgets.standing": (f"{_BOOKS}::test_a_budget_of_a_day_is_used_up_by_several_runs_and_opens_again",),
    "gates.waiting": (
        f"{_GATES}::test_it_waits_and_everything_that_needs_it_waits_too",
        f"{_GATES}::test_two_that_wait_are_both_done_and_completed_siblings_stay",
    ),
    "gates.exact": (
        f"{_GATES}::test_what_was_approved_is_not_an_approval_of_something_else",
        f"{_GATES}::test_what_changes_between_the_gate_and_the_deed_is_not_done",
        f"{_GATES}::test_an_approval_is_good_for_one_time",
    ),
    "gates.concerns": (
        f"{_READY}::test_urgent_concerns_about_what_it_uses_come_first",
        f"{_READY}::test_a_concern_that_is_raised_after_the_approval_holds_it_too",
    ),
    "gates.partial": (f"{_GATES}::test_partial_inputs_need_an_approval_that_says_so",),
    "gates.ready": (f"{_READY}::test_participants_say_whether_they_are_ready_and_silence_is_no_yes",),
    "gates.limited": (f"{_GATES}::test_nobody_answers_in_time",),
    "gates.approvers": (f"{_GATES}::test_an_answer_that_does_not_count_is_on_record_and_says_why",),
    "agent.holding": (
        f"{_READY}::test_urgent_concerns_about_what_it_uses_come_first",
        f"{_READY}::test_concerns_of_work_that_it_does_not_use_do_not_hold_it",
    ),
    "shared.turns": (
        f"{RUNS}/rolling/test_turns.py::test_tasks_that_touch_the_same_are_never_at_work_at_one_time_and_others_are",
    ),
    "change.next": ("tests/unit/planning/test_regime.py::test_every_boundary_of_the_structure_is_a_transition",),
    "change.outgrown": (
        f"{RUNS}/rolling/test_adapting.py::test_a_change_is_proposed_once_with_what_was_measured_and_changes_nothing",
        f"{RUNS}/rolling/test_adapting.py::test_an_applied_change_holds_for_the_phases_that_have_not_begun",
    ),
    **{
        f"{kind}.{what}": (f"{_TEXTS}::test_what_each_kind_is_told_to_say_is_heard", *seen)
        for kind in ("model", "command", "function")
        for what, seen in {
            "concern": (f"{_SPEAKING}::test_a_concern_is_on_record_while_its_agent_is_still_at_work",),
            "blocked": (
                f"{RUNS}/models/test_commands_in_runs.py::test_every_kind_of_agent_can_say_that_it_is_blocked",
            ),
            "confidence": (f"{_SPEAKING}::test_the_last_confidence_counts_unless_the_output_has_one",),
            "proposal": (f"{RUNS}/voice/test_proposals.py::test_a_phase_does_what_agents_of_an_earlier_one_propose",),
        }.items()
    },
    "command.voice": (f"{_SPEAKING}::test_a_command_that_is_killed_for_its_time_has_said_it",),
    "agent.missing": (f"{RUNS}/models/test_models_read.py::test_what_is_missing_or_replaced_is_named",),
    "agent.judged": (f"{_VERIFYING}::test_what_somebody_else_rejects_is_done_again",),
    "agent.turns": (
        f"{RUNS}/rolling/test_turns.py::test_tasks_that_touch_the_same_are_never_at_work_at_one_time_and_others_are",
    ),
}
