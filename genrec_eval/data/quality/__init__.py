"""What is wrong with data: leaks between training and test, and what a run would stumble over."""
