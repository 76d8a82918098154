"""The demo, and the parts that tests share with it: a scripted model and the agents it drives."""
