// Asks outside of the sandbox before each tool, and tells there what OpenCode is doing.
import { spawn } from "node:child_process"

// OpenCode asks nobody itself here: without an answer the tool does not run.
const silence = { decision: "deny", reason: "nobody outside of the sandbox answered" }

const ask = (payload, ...event) => new Promise((resolve) => {
  const shim = spawn("/belljar/bin/belljar-shim", ["ask", "--dialect", "opencode", ...event],
                     { stdio: ["pipe", "pipe", "ignore"] })
  const end = setTimeout(() => shim.kill(), 86400 * 1000)
  let answer = ""
  shim.stdout.on("data", (part) => { answer += part })
  shim.on("error", () => resolve(silence))
  shim.on("close", (code) => {
    clearTimeout(end)
    // Nothing is printed where there was nothing to decide.
    try { resolve(code !== 0 ? silence : answer ? JSON.parse(answer) : {}) } catch { resolve(silence) }
  })
  shim.stdin.on("error", () => {})
  shim.stdin.end(JSON.stringify(payload))
})

// Sessions that others began, for a task of their own: their end is not the end of the work.
const children = new Set()

const tell = (name) => ask({ hook_event_name: name }, "--event", name)

export const Belljar = async () => ({
  "tool.execute.before": async (input, output) => {
    const answer = await ask({ hook_event_name: "PreToolUse", session_id: input.sessionID,
                               tool_name: input.tool, tool_input: output.args ?? {} })
    if (answer.decision === "deny") throw new Error(answer.reason)
  },
  "tool.execute.after": async (input, output) => {
    if (input.tool !== "bash" && input.tool !== "webfetch") return
    const told = await ask({ hook_event_name: "PostToolUse", session_id: input.sessionID,
                             tool_name: input.tool }, "--event", "PostToolUse")
    const text = told.hookSpecificOutput?.additionalContext
    if (text) output.output += "\n" + text
  },
  "chat.message": async () => { await tell("UserPromptSubmit") },
  event: async ({ event }) => {
    const { info, sessionID } = event.properties ?? {}
    if (event.type === "session.created" && info?.parentID) children.add(info.id)
    if ((event.type === "session.idle" || event.type === "session.error") && !children.has(sessionID))
      await tell(event.type)
    // Its own dialog, should anything open one: it waits for somebody at its screen.
    if (event.type === "permission.asked" || event.type === "permission.replied")
      await tell(event.type)
  },
})
