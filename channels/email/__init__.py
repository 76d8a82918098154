"""E-mail as a channel: mails that show requests, and replies to them whose first line decides."""
