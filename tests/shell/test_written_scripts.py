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
    (
        "A.java",
        'class A { static void main(String[] a) { Files.delete(Path.of("/srv/data/x")); } }',
        "class A { static void main(String[] a) { System.out.println('x'); } }",
        "java A.java",
    ),
    (
        "A.java",
        'Runtime.getRuntime().exec("rm -rf /srv/data");',
        '// Files.delete(Path.of("/x"))',
        "javac A.java && java A",
    ),
    ("a.c", 'int main() { remove("/srv/data/x"); }', 'int main() { puts("remove(x)"); }', "gcc -Wall a.c && ./a.out"),
    (
        "a.cpp",
        'int main() { fs::remove_all("/srv/data"); }',
        "int main() { v.remove(3); }",
        "g++ a.cpp -o out && ./out",
    ),
    (
        "a.rs",
        "fn f<'a>(x: &'a str) {} fn main() { std::fs::remove_dir_all(\"/srv/data\"); }",
        'fn main() { println!("x"); }',
        "rustc a.rs && ./a",
    ),
    ("a.cs", 'Directory.Delete("/srv/data", true);', 'Console.WriteLine("x");', "dotnet run a.cs"),
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


@pytest.mark.parametrize("run", ["gcc a.c b.c && ./a.out", "cc -o out a.c b.c && ./out"])
def test_every_source_of_a_built_program_counts(judge, run):
    other = "cat > b.c <<'END'\nint f() { return 1; }\nEND\n"

    assert gating(judge, other + written("a.c", 'int main() { remove("/srv/data/x"); }', run))


@pytest.mark.parametrize("run", ["gcc a.c", "javac A.java", "rustc a.rs -o tool"])
def test_building_alone_is_not_asked_about(judge, run):
    source = run.split()[1]
    deletes = 'fs::remove_dir_all("/srv"); remove("/srv/data/x"); Files.delete(Path.of("/srv/x"));'

    assert gating(judge, written(source, deletes, run)) == []


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
