"""A proof that dense tokens work, or not: tasks that need depth, arms that control for everything else."""
