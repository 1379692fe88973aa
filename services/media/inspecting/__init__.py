"""What bytes really are: looked at in a process of its own, which may die of them without harm."""
