"""The demo, and the parts that tests and `askfirst doctor` share with it: a scripted model and the agents it drives."""
