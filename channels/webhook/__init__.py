"""A channel of one's own: cards go out as signed JSON, signed decisions come in (Standard Webhooks).

From: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

- ``config``: ``[webhook.NAME]``, one table for each program at the other end.
- ``wire``: what is sent and what may come in, as ``docs/channels.md`` shows it.
- ``signing``: the one module that uses the ``standardwebhooks`` library.
- ``channel``: sending, and what people are told.
- ``door``: where decisions come in.
"""
