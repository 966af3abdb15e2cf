"""Success that is checked: what a result must show before its step is completed (D11, O3, D9)."""
