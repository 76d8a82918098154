"""Which calls of each language delete, run or send: data for ``code_calls``.

One line an action. ``name`` counts with any receiver, ``x.name`` with this one, ``-.name`` with none; the first that
fits counts. Sources: the references of the standard libraries, of Commons IO, fs-extra, rimraf, execa, zx, shelljs,
Bun, Deno, Ecto and Ruby's FileUtils.
"""

from __future__ import annotations

_TABLE: dict[str, dict[str, str]] = {
    "javascript": {
        "shell": "execaCommand execaCommandSync exec execSync",
        "argv": "spawn spawnSync execFile execFileSync execa execaSync Deno.Command Deno.run",
        "delete": "unlink unlinkSync Deno.remove Deno.removeSync fs.rmdir rmdirSync fs.rm promises.rm fsp.rm "
        "fsPromises.rm "
        "-.rm rmSync",
        "delete-tree": "rimraf rimrafSync rimraf.sync rimraf.rimraf removeSync fs.remove fse.remove "
        "emptyDir emptyDirSync deleteAsync deleteSync -.del shell.rm",
        "write": "writeFileSync writeFile createWriteStream truncateSync Bun.write",
        "read": "readFileSync readFile Bun.file readTextFile readTextFileSync",
        "code": "-.eval -.Function runInThisContext runInNewContext runInContext globalThis.eval",
        "sql": "query execute raw $executeRawUnsafe $queryRawUnsafe db.exec database.exec client.exec",
        "loss": "dropDatabase flushall flushdb flushAll flushDb sequelize.drop dropSchema dropCollection",
        "rows-of": "deleteMany",
        "http": "fetch axios",
        "http-delete": "axios.delete got.delete ky.delete superagent.delete superagent.del request.delete",
        "http-post": "axios.post got.post ky.post superagent.post axios.put axios.patch",
        "network": "request https.get http.get createConnection connect",
    },
    "python": {
        "shell": "os.system os.popen subprocess.getoutput subprocess.getstatusoutput",
        "argv": "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen -.Popen",
        "delete": "os.remove os.unlink unlink",
        "delete-tree": "rmtree",
        "write": "write_text write_bytes",
        "code": "-.exec -.eval",
        "network": "urlopen requests.get requests.post",
    },
    "ruby": {
        "shell": "-.system -.exec -.spawn Kernel.system Kernel.exec Kernel.spawn IO.popen Open3.capture2 "
        "Open3.capture2e Open3.capture3 Open3.popen3 PTY.spawn Process.spawn -.sh",
        "delete": "File.delete File.unlink FileUtils.rm FileUtils.rm_f FileUtils.safe_unlink -.rm_f",
        "delete-tree": "rm_rf rm_r remove_dir remove_entry remove_entry_secure rmtree rm_tree",
        "write": "File.write IO.write File.truncate",
        "read": "File.read IO.read File.readlines",
        "code": "-.eval instance_eval class_eval",
        "sql": "execute exec_query exec_update",
        "loss": "destroy_all delete_all drop_database flushall flushdb drop_table",
        "rows": "destroy destroy! destroy_by delete_by",
        "http-delete": "HTTParty.delete RestClient.delete Faraday.delete HTTP.delete delete Delete.new",
        "http-post": "HTTParty.post RestClient.post Faraday.post HTTP.post",
        "network": "open_uri URI.open Net.HTTP TCPSocket.new",
    },
    "perl": {
        "shell": "-.system -.exec",
        "popen": "-.open",
        "delete": "-.unlink",
        "delete-tree": "rmtree remove_tree",
        "code": "-.eval",
        "sql": "do prepare",
        "http-delete": "new.delete ua.delete",
        "network": "getstore LWP get",
    },
    "php": {
        "shell": "-.system -.exec -.shell_exec -.passthru -.popen -.proc_open -.pcntl_exec",
        "delete": "-.unlink",
        "delete-tree": "deleteDirectory",
        "write": "file_put_contents",
        "read": "file_get_contents readfile",
        "code": "-.eval -.assert create_function",
        "sql": "query exec statement unprepared mysqli_query pg_query execute",
        "loss": "truncate",
        "network": "curl_init fsockopen curl_exec",
    },
    "go": {
        "argv": "exec.Command exec.CommandContext syscall.Exec",
        "delete": "os.Remove syscall.Unlink",
        "delete-tree": "os.RemoveAll",
        "write": "os.WriteFile ioutil.WriteFile os.Create os.Truncate",
        "read": "os.ReadFile ioutil.ReadFile",
        "sql": "Exec MustExec",
    },
    "c": {
        "shell": "-.system -.popen std.system",
        "delete": "-.unlink -.remove",
        "delete-tree": "remove_all",
    },
    "csharp": {
        "delete": "File.Delete",
        "delete-tree": "Directory.Delete",
        "write": "File.WriteAllText File.WriteAllBytes",
    },
    "java": {
        "shell": "exec",
        "argv": "ProcessBuilder",
        "delete": "Files.delete Files.deleteIfExists",
        "delete-tree": "deleteDirectory cleanDirectory deleteRecursively forceDelete",
        "sql": "executeUpdate execute",
    },
    "rust": {
        "delete": "remove_file",
        "delete-tree": "remove_dir_all",
    },
    "elixir": {
        "shell": "System.shell os.cmd",
        "argv": "System.cmd",
        "delete": "File.rm File.rm!",
        "delete-tree": "File.rm_rf File.rm_rf!",
        "write": "File.write File.write!",
        "read": "File.read File.read!",
        "code": "Code.eval_string",
        "sql": "query query!",
        "loss": "delete_all",
    },
    "lua": {
        "shell": "os.execute io.popen",
        "delete": "os.remove",
        "code": "-.load -.loadstring",
    },
    "awk": {"shell": "-.system"},
    "osascript": {},
    "r": {
        "shell": "-.system -.shell",
        "argv": "-.system2 processx.run",
        "delete": "file.remove -.unlink -.file_delete",
        "delete-tree": "dir_delete",
        "read": "readLines readRenviron",
    },
    "julia": {"delete": "-.rm", "code": "-.eval"},
}


def _rows(table: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Call name to ``(receiver, action)`` pairs; the receiver is ``*`` for any and ``-`` for none."""
    rows: dict[str, list[tuple[str, str]]] = {}
    for action, calls in table.items():
        for call in calls.split():
            receiver, _, name = call.rpartition(".")
            rows.setdefault(name, []).append((receiver or "*", action))
    return rows


CALLS = {language: _rows(table) for language, table in _TABLE.items()}
"""Language -> call name -> ``(receiver, action)`` pairs."""
