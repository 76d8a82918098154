"""The APIs of models that the scripted model speaks, one module each."""
