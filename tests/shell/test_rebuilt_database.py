"""The database of a framework's test environment, which every run of the tests builds anew, is dropped unasked."""

from __future__ import annotations

import pytest

from askfirst.effects import Risk


def gating(judge, text):
    return [effect.rule for effect in judge(text) if effect.risk >= Risk.HIGH]


@pytest.mark.parametrize(
    "text",
    [
        "RAILS_ENV=test bin/rails db:schema:load",
        "RAILS_ENV=test bundle exec rake db:drop db:create",
        "bundle exec rake db:drop RAILS_ENV=test",
        "export RAILS_ENV=test; rails db:reset",
        "rails db:drop -e test",
        "MIX_ENV=test mix do ecto.drop, ecto.create",
        "php artisan migrate:fresh --env=testing",
        "php bin/console --env=test doctrine:database:drop --force",
        "NODE_ENV=test npx sequelize-cli db:drop",
    ],
)
def test_of_the_test_environment_is_recorded_only(judge, text):
    assert gating(judge, text) == []
    assert max(effect.risk for effect in judge(text)) is Risk.MEDIUM


@pytest.mark.parametrize(
    "text",
    [
        "rails db:drop",
        "RAILS_ENV=production rails db:drop",
        "RAILS_ENV=$ENVIRONMENT rails db:drop",
        "RAILS_ENV=test rails db:drop -e production",
        "RAILS_ENV=test rails db:drop:all",
        "RAILS_ENV=test DATABASE_URL=postgres://db.example.com/app rails db:drop",
        "RAILS_ENV=test true; rails db:drop",
        "RAILS_ENV=test rails db:drop && rails db:drop",
        "RAILS_ENV=test python manage.py flush --noinput",
        "MIX_ENV=prod mix ecto.drop",
        "php artisan migrate:fresh --env=production",
    ],
)
def test_of_any_other_environment_is_asked_about(judge, text):
    assert gating(judge, text)
