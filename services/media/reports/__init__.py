"""Reports: what was done for a task, or answered to a form, on paper that anybody can open and nobody can change."""
