"""A script is run by more than its interpreter: by a framework, as a module, by ``go run``, by PowerShell."""

from __future__ import annotations

import pytest

from askfirst.effects import Risk

# The file, its dangerous and its harmless content, and the command that runs it.
RUNS = [
    ("fix.rb", "User.delete_all", "puts User.count", "bin/rails runner fix.rb"),
    ("fix.exs", "Repo.delete_all(User)", "IO.puts(1)", "mix run fix.exs"),
    ("fix.exs", 'File.rm_rf!("/srv/data")', "IO.puts(1)", "elixir fix.exs"),
    ("fix.php", "<?php unlink('/srv/data/x');", "<?php echo 1;", "wp eval-file fix.php"),
    ("scripts/fix.py", "import shutil; shutil.rmtree('/srv/data')", "print(1)", "python3 -m scripts.fix"),
    ("main.go", 'package main; func main() { os.RemoveAll("/srv/data") }', "package main", "go run main.go"),
    (
        "main.go",
        'package main; func main() { exec.Command("rm", "-rf", "/srv").Run() }',
        "package main",
        "go run main.go",
    ),
    ("fix.ps1", "Remove-Item -Recurse -Force C:\\data", "Get-ChildItem C:\\data", "pwsh ./fix.ps1"),
    (
        "fix.ps1",
        "Remove-Item -Recurse -Force C:\\data",
        "Get-ChildItem C:\\data",
        "powershell -NoProfile -File fix.ps1",
    ),
]


def gating(judge, text):
    return [effect.rule for effect in judge(text) if effect.risk >= Risk.HIGH]


def written(path, content, run):
    return f"cat > {path} <<'END'\n{content}\nEND\n{run}"


@pytest.mark.parametrize(("path", "danger", "_harmless", "run"), RUNS)
def test_what_the_line_wrote_is_read(judge, path, danger, _harmless, run):
    assert gating(judge, written(path, danger, run))


@pytest.mark.parametrize(("path", "_danger", "harmless", "run"), RUNS)
def test_a_harmless_script_is_not_asked_about(judge, path, _danger, harmless, run):
    assert gating(judge, written(path, harmless, run)) == []


@pytest.mark.parametrize(
    "text",
    [
        "python3 -m scripts.reset_db",
        "python3 -c \"exec(open('wipe.py').read())\"",
        "go run wipe.go",
        "bin/rails runner destroy_all.rb",
        "pwsh ./wipe-all.ps1",
    ],
)
def test_one_that_cannot_be_read_is_judged_by_its_name(judge, text):
    assert "execution.unread-script" in gating(judge, text)


@pytest.mark.parametrize(
    "text",
    [
        "python3 -m http.server 8000",
        "python3 -m app.main",
        "python3 -m unittest tests.test_delete",
        "go run main.go",
        "go run ./cmd/server",
        "mix run priv/repo/seeds.exs",
        "bin/rails runner report.rb",
        "pwsh ./build.ps1",
        "python3 -c \"exec(open('setup_env.py').read())\"",
    ],
)
def test_one_with_another_name_is_not(judge, text):
    assert gating(judge, text) == []
