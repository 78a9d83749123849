// Asks outside of the sandbox before each tool, and tells there what OpenCode is doing.
import { spawn } from "node:child_process"

const ask = (payload) => new Promise((resolve) => {
  const shim = spawn("/belljar/bin/belljar-shim", ["ask", "--dialect", "opencode"],
                     { stdio: ["pipe", "pipe", "ignore"] })
  let answer = ""
  shim.stdout.on("data", (part) => { answer += part })
  shim.on("error", () => resolve({}))
  shim.on("close", () => {
    try { resolve(JSON.parse(answer)) } catch { resolve({}) }
  })
  shim.stdin.on("error", () => {})
  shim.stdin.end(JSON.stringify(payload))
})

export const Belljar = async () => ({
  "tool.execute.before": async (input, output) => {
    const answer = await ask({ hook_event_name: "PreToolUse", session_id: input.sessionID,
                               tool_name: input.tool, tool_input: output.args ?? {} })
    if (answer.decision === "deny") throw new Error(answer.reason)
  },
  "chat.message": async () => { await ask({ hook_event_name: "UserPromptSubmit" }) },
  event: async ({ event }) => {
    if (event.type === "session.idle" || event.type === "session.error")
      await ask({ type: event.type })
  },
})
