"""Telegram: requests as cards with buttons, decided from a phone.

``channel`` is what the core calls. What is shown (``card_message``, ``digest``, ``why``) and what is heard (``parse``)
are pure; ``api`` alone imports python-telegram-bot; ``poll`` and ``webhook`` receive, ``outbound`` sends.
"""
