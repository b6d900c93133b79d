"""How right a model is: metrics over counted outcomes, their intervals, estimates and what moved them."""
