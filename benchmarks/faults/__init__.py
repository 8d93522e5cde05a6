"""Kill and damage runs by seed, and see that each goes on to the same bits, or says in a sentence how."""
