#!/usr/bin/env python3
"""A model for tests: mock.py ADDRESS PORT LOG KEY [CERTIFICATE-AND-KEY]

Speaks what the agents speak, streaming: Anthropic messages, OpenAI responses and chat completions,
Gemini generateContent. A request without KEY in one of its headers gets 401. Each request is one
line of the log: "METHOD PATH" and "key" or "nokey"; one that brings a tool's result has another,
"TOOL" and the result as a JSON text, and what Belljar tells in it, wherever it stands, one with "NOTE".

What it says is in the user's last prompt:
  [[run COMMAND]]    it calls the agent's shell tool with COMMAND
  [[beyond COMMAND]] the same, and it asks to be let out of Codex's own sandbox for that
  [[say TEXT]]       it says TEXT, word by word
  [[stream N]]       it says N words, five a second; so does it all from then on
  [[fail TEXT]]      it refuses the request with that message; Anthropic messages only
  [[recall ]]        it says whether the conversation that it was sent has a [[say before
and when the tool's result came back, it says "The tool said: " and the last line of it.
"""
import http.server
import json
import re
import ssl
import sys
import time
import uuid

SHELLS = ("Bash", "bash", "exec_command", "shell_command", "shell", "local_shell",
          "run_shell_command")
PAUSE = 0.02


def flatten(content):
    """The text of a message's content, in any of the four forms."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(flatten(part) for part in content)
    if isinstance(content, dict):
        return "\n".join(flatten(content[key]) for key in
                         ("text", "content", "output", "response", "error") if key in content)
    return ""


def decide(prompt, result, whole):
    """What to do next: ("run", command) or ("say", text); `whole` is all that was sent."""
    if result is not None:
        lines = [line.removeprefix("Output: ") for line in result.splitlines() if line.strip()
                 and not line.startswith(("<", "Process Group PGID:"))] # an agent's frame
        return "say", "The tool said: " + (lines[-1] if lines else "nothing")[:200]
    found = re.findall(r"\[\[(run|beyond|say|stream|fail|recall) (.*?)\]\]", prompt, re.S)
    if found and found[-1][0] == "recall":
        return "say", "I remember all." if "[[say " in whole else "I remember nothing."
    if found and found[-1][0] == "stream":
        global PAUSE
        PAUSE = 0.2
        return "say", " ".join(f"word {i}" for i in range(int(found[-1][1]) // 2))
    return found[-1] if found else ("say", "Hello from the model.")


def read_anthropic(body):
    prompt, result = "", None
    for message in body.get("messages", []):
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for part in parts:
            if part.get("type") == "tool_result":
                result = flatten(part)
            elif part.get("type") == "text" and message.get("role") == "user":
                if "[[" in part["text"]:
                    prompt, result = part["text"], None
    return prompt, result, [tool.get("name") for tool in body.get("tools", [])]


def read_responses(body):
    prompt, result = "", None
    items = body.get("input", [])
    for item in items if isinstance(items, list) else [{"role": "user", "content": items}]:
        if item.get("type", "").endswith("_output"):
            result = flatten(item.get("output"))
        elif item.get("role") == "user" and "[[" in flatten(item.get("content")):
            prompt, result = flatten(item.get("content")), None
    return prompt, result, [tool.get("name") or tool.get("type") for tool in body.get("tools", [])]


def read_chat(body):
    prompt, result = "", None
    for message in body.get("messages", []):
        text = flatten(message.get("content"))
        if message.get("role") == "tool":
            result = text
        elif message.get("role") == "user" and "[[" in text:
            prompt, result = text, None
    return prompt, result, [tool["function"]["name"] for tool in body.get("tools", [])]


def read_gemini(body):
    prompt, result = "", None
    for content in body.get("contents", []):
        for part in content.get("parts", []):
            if "functionResponse" in part:
                result = flatten(part["functionResponse"].get("response"))
            elif content.get("role") == "user" and "[[" in part.get("text", ""):
                prompt, result = part["text"], None
    names = [function["name"] for tool in body.get("tools", [])
             for function in tool.get("functionDeclarations", [])]
    return prompt, result, names


def example(schema):
    """The least value that a JSON schema takes: what a question with such a form is answered."""
    kind = schema.get("type", "object")
    kind = (kind[0] if isinstance(kind, list) else kind).lower()
    if schema.get("enum"):
        return schema["enum"][0]
    if kind == "object":
        return {name: example(part) for name, part in schema.get("properties", {}).items()}
    return {"string": "as the test asks", "array": [], "boolean": False}.get(
        kind, schema.get("minimum", 1))


def log(line):
    with open(LOG, "a", encoding="utf-8") as file:
        file.write(line + "\n")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def note(self):
        key = any(KEY in value for value in self.headers.values())
        log(f"{self.command} {self.path} {'key' if key else 'nokey'}")
        return key

    def reply(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, value, name=None):
        text = value if isinstance(value, str) else json.dumps(value)
        head = f"event: {name}\n" if name else ""
        self.wfile.write(f"{head}data: {text}\n\n".encode())
        self.wfile.flush()

    def words(self, text):
        for word in re.findall(r"\S+\s*", text):
            yield word
            time.sleep(PAUSE)

    def do_GET(self):
        self.note()
        if self.path.split("?")[0].endswith("/models"):
            self.reply(200, {"object": "list", "data": [], "models": []})
        else:
            self.reply(404, {"error": {"message": "not here"}})

    def do_POST(self):
        key = self.note()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not key:
            self.reply(401, {"error": {"type": "authentication_error", "message": "no key"}})
            return
        try:
            body = json.loads(body or b"{}")
        except ValueError:
            self.reply(400, {"error": {"message": "no JSON"}})
            return
        path = self.path.split("?")[0]
        for end, answer in (("/count_tokens", self.count), ("/messages", self.anthropic),
                            ("/responses", self.openai), ("/chat/completions", self.chat),
                            (":streamGenerateContent", self.gemini),
                            (":generateContent", self.gemini_whole), (":countTokens", self.count)):
            if path.endswith(end):
                answer(body)
                return
        self.reply(404, {"error": {"message": "not here"}})

    def count(self, _):
        self.reply(200, {"input_tokens": 10, "totalTokens": 10})

    # --- what is answered, in each tongue ---

    def plan(self, body, prompt, result, tools):
        if result is not None:
            log("TOOL " + json.dumps(result))
        for told in sorted(set(re.findall(r"Belljar: [^\"\\\\]*", json.dumps(body)))):
            log("NOTE " + told)
        verb, text = decide(prompt, result, json.dumps(body))
        shell = next((name for name in SHELLS if name in tools), None)
        self.beyond = verb == "beyond"
        verb = "run" if self.beyond else verb
        if verb == "run" and not shell:
            return "say", "No shell among " + " ".join(map(str, tools)), None
        return verb, text, shell

    def anthropic(self, body):
        verb, text, shell = self.plan(body, *read_anthropic(body))
        if verb == "fail":
            self.reply(400, {"type": "error", "error": {"type": "invalid_request_error",
                                                        "message": text}})
            return
        message = {"id": "msg_" + uuid.uuid4().hex, "type": "message", "role": "assistant",
                   "model": body.get("model"), "content": [], "stop_reason": None,
                   "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1}}
        stop = "tool_use" if verb == "run" else "end_turn"
        call = {"type": "tool_use", "id": "toolu_" + uuid.uuid4().hex[:20], "name": shell}
        asked = {"command": text, "description": "what the test asks for"}
        if not body.get("stream"):
            message["content"] = ([{"type": "text", "text": text}] if verb == "say"
                                  else [dict(call, input=asked)])
            self.reply(200, dict(message, stop_reason=stop))
            return
        self.begin()
        send = lambda value: self.event(value, value["type"])
        send({"type": "message_start", "message": message})
        if verb == "say":
            send({"type": "content_block_start", "index": 0,
                  "content_block": {"type": "text", "text": ""}})
            for word in self.words(text):
                send({"type": "content_block_delta", "index": 0,
                      "delta": {"type": "text_delta", "text": word}})
        else:
            send({"type": "content_block_start", "index": 0,
                  "content_block": dict(call, input={})})
            send({"type": "content_block_delta", "index": 0,
                  "delta": {"type": "input_json_delta", "partial_json": json.dumps(asked)}})
        send({"type": "content_block_stop", "index": 0})
        send({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
              "usage": {"output_tokens": 5}})
        send({"type": "message_stop"})

    def openai(self, body):
        verb, text, shell = self.plan(body, *read_responses(body))
        response = {"id": "resp_" + uuid.uuid4().hex, "object": "response",
                    "created_at": int(time.time()), "status": "in_progress",
                    "model": body.get("model"), "output": []}
        self.begin()
        send = lambda kind, **more: self.event(dict(more, type=kind), kind)
        send("response.created", response=response)
        if verb == "say":
            item = {"id": "msg_" + uuid.uuid4().hex, "type": "message", "role": "assistant",
                    "status": "in_progress", "content": []}
            send("response.output_item.added", output_index=0, item=item)
            for word in self.words(text):
                send("response.output_text.delta", item_id=item["id"], output_index=0,
                     content_index=0, delta=word)
            item = dict(item, status="completed",
                        content=[{"type": "output_text", "text": text, "annotations": []}])
        else:
            name = {"exec_command": {"cmd": text}, "shell_command": {"command": text},
                    "Bash": {"command": text}, "bash": {"command": text, "description": "test"}}
            asked = name.get(shell, {"command": ["bash", "-lc", text]})
            if self.beyond:
                asked.update(sandbox_permissions="require_escalated",
                             justification="the test asks for it")
            item = {"id": "fc_" + uuid.uuid4().hex, "type": "function_call", "name": shell,
                    "call_id": "call_" + uuid.uuid4().hex[:20], "status": "completed",
                    "arguments": json.dumps(asked)}
            send("response.output_item.added", output_index=0, item=dict(item, arguments=""))
            send("response.function_call_arguments.delta", item_id=item["id"], output_index=0,
                 delta=item["arguments"])
            send("response.function_call_arguments.done", item_id=item["id"], output_index=0,
                 arguments=item["arguments"])
        send("response.output_item.done", output_index=0, item=item)
        send("response.completed", response=dict(
            response, status="completed", output=[item],
            usage={"input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
                   "input_tokens_details": {"cached_tokens": 0},
                   "output_tokens_details": {"reasoning_tokens": 0}}))

    def chat(self, body):
        verb, text, shell = self.plan(body, *read_chat(body))
        head = {"id": "chatcmpl-" + uuid.uuid4().hex, "object": "chat.completion.chunk",
                "created": int(time.time()), "model": body.get("model")}
        call = {"index": 0, "id": "call_" + uuid.uuid4().hex[:20], "type": "function",
                "function": {"name": shell, "arguments": json.dumps(
                    {"command": text, "description": "what the test asks for"})}}
        stop = "tool_calls" if verb == "run" else "stop"
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        if not body.get("stream"):
            message = {"role": "assistant", "content": text if verb == "say" else None}
            if verb == "run":
                message["tool_calls"] = [call]
            self.reply(200, dict(head, object="chat.completion", usage=usage, choices=[
                {"index": 0, "message": message, "finish_reason": stop}]))
            return
        self.begin()
        chunk = lambda delta, reason=None: self.event(dict(head, choices=[
            {"index": 0, "delta": delta, "finish_reason": reason}]))
        chunk({"role": "assistant", "content": ""})
        if verb == "say":
            for word in self.words(text):
                chunk({"content": word})
        else:
            chunk({"tool_calls": [call]})
        chunk({}, stop)
        self.event(dict(head, choices=[], usage=usage))
        self.event("[DONE]")

    def gemini_parts(self, body):
        wanted = body.get("generationConfig", {})
        schema = wanted.get("responseJsonSchema") or wanted.get("responseSchema")
        if schema:
            return [[{"text": json.dumps(example(schema))}]]
        verb, text, shell = self.plan(body, *read_gemini(body))
        if verb == "run":
            return [[{"functionCall": {"name": shell, "args": {
                "command": text, "description": "what the test asks for"}}}]]
        return [[{"text": word}] for word in re.findall(r"\S+\s*", text)]

    @staticmethod
    def candidate(parts, last):
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        if last:
            candidate["finishReason"] = "STOP"
        return {"candidates": [candidate], "usageMetadata": {
            "promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}}

    def gemini(self, body):
        groups = self.gemini_parts(body)
        self.begin()
        for number, parts in enumerate(groups):
            self.event(self.candidate(parts, number == len(groups) - 1))
            time.sleep(PAUSE)

    def gemini_whole(self, body):
        parts = [part for group in self.gemini_parts(body) for part in group]
        self.reply(200, self.candidate(parts, True))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


LOG, KEY = sys.argv[3], sys.argv[4]
server = Server((sys.argv[1], int(sys.argv[2])), Handler)
if len(sys.argv) > 5:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
