"""GitHub as a channel: a request is a comment on a pull request or an issue, people decide in the same conversation.

- ``place`` and ``checkout``: which conversation a recipient means; ``checkout`` alone uses GitPython.
- ``client`` and ``auth``: the API; ``wire`` holds the few fields of its answers that are used.
- ``render`` (pure): a card as Markdown, with a marker that only this broker can make; ``preview`` shows it as HTML.
- ``grammar`` and ``deliveries`` (pure): what comments, reviews and presses say.
- ``vet``: what has to hold at GitHub, at the moment of the decision, for one of these to count.
- ``poll`` and ``webhook``: the two ways to hear.
- ``checks`` and ``deployments``: commit statuses, check runs with buttons, and deployments that wait.
"""
