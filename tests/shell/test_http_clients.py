"""Requests of httpie, xh and wget are judged as those of curl."""

from __future__ import annotations

import pytest

from askfirst.effects import Risk


def gating(judge, text):
    return {effect.rule for effect in judge(text) if effect.risk >= Risk.HIGH}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("http PUT https://api.github.com/repos/a/b/pulls/1/merge", "http.merge"),
        ("http POST https://hooks.slack.com/services/T/B/x text=hi", "http.message"),
        ("http api.stripe.com/v1/refunds charge=ch_1", "http.money"),
        ("http --auth a:b POST https://api.render.com/v1/services/x/deploys", "http.deploy"),
        ("https DELETE api.example.com/users/1", "http.delete"),
        ("xh patch https://api.cloudflare.com/client/v4/zones/1/settings/ssl value=off", "http.provider"),
        ("wget -q --post-file=x.json https://api.sendgrid.com/v3/mail/send", "http.message"),
        ("wget --post-data 'a=b' https://api.example.com/users/1/delete", "http.operate"),
        ("wget --header --help --post-data a=b https://api.example.com/users/1/delete", "http.operate"),
        ("wget --method=PUT --body-data='{}' https://api.github.com/repos/a/b/pulls/1/merge", "http.merge"),
        ("http POST https://api.example.com/graphql query='mutation { deleteUser(id: 1) }'", "http.graphql"),
    ],
)
def test_a_request_that_changes_something_is_found_by_the_rule_of_curl(judge, text, rule):
    assert rule in gating(judge, text)


@pytest.mark.parametrize(
    "text",
    [
        "http https://api.github.com/repos/a/b/pulls/1",
        "http api.stripe.com/v1/refunds limit==3",
        "http POST :3000/users/1/delete",
        "http DELETE localhost:8000/items/1",
        "http POST https://httpbin.org/post name=delete",
        "http --offline POST https://api.github.com/repos/a/b/merges base=main",
        "xh https://api.cloudflare.com/client/v4/zones Authorization:x",
        "wget https://api.github.com/repos/a/b/merges",
        "wget --header 'Accept: x' https://api.render.com/v1/services/x/deploys",
        "wget --post-data=a=b http://localhost:3000/users/1/delete",
        "wget --spider --method=PUT https://api.github.com/repos/a/b/pulls/1/merge",
    ],
)
def test_one_that_reads_or_goes_to_this_machine_is_not(judge, text):
    assert gating(judge, text) == set()
