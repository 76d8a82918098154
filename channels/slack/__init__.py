"""Slack: cards as messages, buttons and words as decisions, heard by Socket Mode, so that no public URL is needed."""
