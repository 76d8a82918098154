// The gate in opencode, put here by `askfirst install --host opencode`; `askfirst uninstall` takes it away.
//
// Rules: an exception in `tool.execute.before` is the only thing that blocks, and its text reaches the model. So
// everything but an exit code 0 with an empty or well-formed output throws, and nothing may hold up loading: a plugin
// that fails to load lets every call run.
import { spawn } from "node:child_process"

const LINE = "@LINE@"

// Exit code, standard output and standard error of the hook; never rejects.
function ask(payload) {
  return new Promise((resolve) => {
    const said = { out: "", err: "" }
    const end = (code, error) => resolve({ code, out: said.out, err: error ? String(error) : said.err })
    try {
      const hook = spawn("/bin/sh", ["-c", LINE], { stdio: ["pipe", "pipe", "pipe"] })
      hook.stdout.setEncoding("utf8").on("data", (text) => (said.out += text))
      hook.stderr.setEncoding("utf8").on("data", (text) => (said.err += text))
      hook.on("error", (error) => end(2, error))
      hook.on("close", (code) => end(code ?? 2))
      hook.stdin.on("error", () => {})
      hook.stdin.end(JSON.stringify(payload))
    } catch (error) {
      end(2, error)
    }
  })
}

export const Askfirst = async ({ client, directory }) => {
  // MCP tools are called `server_tool`; only the configuration tells a server's name from the tool's.
  const servers = async () => {
    try {
      const { data } = await client.config.get()
      return Object.keys(data?.mcp ?? {}).map((name) => name.replace(/[^a-zA-Z0-9_-]/g, "_"))
    } catch {
      return []
    }
  }
  const payload = async (event, input, args, more = {}) => ({
    hook_event_name: event,
    tool_name: input.tool,
    tool_input: args ?? {},
    session_id: input.sessionID,
    tool_use_id: input.callID,
    cwd: directory,
    mcp_server: (await servers()).filter((name) => input.tool.startsWith(name + "_")).sort((a, b) => b.length - a.length)[0] ?? "",
    ...more,
  })
  return {
    "tool.execute.before": async (input, output) => {
      const answer = await ask(await payload("tool.execute.before", input, output.args))
      if (answer.code !== 0) throw new Error(answer.err.trim() || "askfirst: this call is blocked: the hook failed")
      if (answer.out.trim() === "") return
      const { args } = JSON.parse(answer.out)
      if (typeof args !== "object" || args === null) throw new Error("askfirst: this call is blocked: malformed answer")
      for (const key of Object.keys(output.args)) if (!(key in args)) delete output.args[key]
      Object.assign(output.args, args)
    },
    "tool.execute.after": async (input, output) => {
      const code = output?.metadata?.exit
      await ask(await payload("tool.execute.after", input, input.args, { exit_code: typeof code === "number" ? code : null }))
    },
  }
}
