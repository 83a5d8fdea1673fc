import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type PtyResult, type PtyStep, runInPty } from "../support/pty.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the terminals are Unix's");

const CHILD = new URL("./prompt_child.ts", import.meta.url).pathname;
const TOKEN = "planted-terminal-token";

const limit = 20_000;
const env = {
  PATH: Deno.env.get("PATH") ?? "",
  HOME: Deno.env.get("HOME") ?? "",
  NO_COLOR: "1",
  PS1: "sh> ",
};

function command(
  job: Readonly<Record<string, unknown>>,
): [string, ...string[]] {
  return [
    Deno.execPath(),
    "run",
    "--no-config",
    "--no-check",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-ffi",
    "--allow-sys=uid",
    CHILD,
    JSON.stringify(job),
  ];
}

/** Asks under a terminal and gives what was typed back. */
async function ask(
  job: Readonly<Record<string, unknown>>,
  steps: readonly PtyStep[],
): Promise<PtyResult & { readonly typed: string | undefined }> {
  const file = await Deno.makeTempFile({ prefix: "prompt-test-" });
  try {
    const result = await runInPty(command({ ...job, file }), {
      env,
      steps,
      limit,
    });
    return { ...result, typed: await Deno.readTextFile(file) };
  } finally {
    await Deno.remove(file);
  }
}

unix.test("prompt() reads a line that does not appear", async () => {
  const result = await ask({}, [{ expect: "Token: ", send: `${TOKEN}\r` }]);
  assertEquals(result.typed, TOKEN);
  assertStringIncludes(result.output, "canAsk: true");
  assertStringIncludes(result.output, "Token: \r\noutcome: line");
  assert(!result.output.includes(TOKEN), result.output);
  assertEquals([result.echoes, result.echoesAfter], [[false], true]);
});

unix.test("prompt() shows what is typed where it may be shown", async () => {
  const result = await ask({ echo: true, question: "Name: " }, [
    { expect: "Name: ", send: "my name\r" },
  ]);
  assertEquals(result.typed, "my name");
  assertStringIncludes(result.output, "Name: my name\r\noutcome: line");
  assertEquals([result.echoes, result.echoesAfter], [[true], true]);
});

unix.test("prompt() reads lines longer than the terminal's own limit", async () => {
  const token = "0123456789".repeat(2000);
  const result = await ask({}, [{ expect: "Token: ", send: `${token}\r` }]);
  assertEquals(result.typed?.length, token.length);
  assertEquals(result.typed, token);
});

unix.test("prompt() edits the line as a terminal does", async () => {
  const result = await ask({}, [
    { expect: "Token: ", send: "wrong\x15one twp\x7f\x7f\x7ftwo\r" },
  ]);
  assertEquals(result.typed, "one two");
});

unix.test("prompt() takes only the first of several pasted lines", async () => {
  const result = await ask({}, [
    { expect: "Token: ", send: `${TOKEN}\rsecond line\r` },
  ]);
  assertEquals(result.typed, TOKEN);
  assert(!result.output.includes("second line"), result.output);
});

unix.test("prompt() takes nothing that was typed before the question", async () => {
  const file = await Deno.makeTempFile({ prefix: "prompt-test-" });
  try {
    await runInPty([
      await shellPath(),
      "-c",
      'echo wait; sleep 0.5; "$@"',
      "sh",
      ...command({ file }),
    ], {
      env,
      limit,
      steps: [
        { expect: "wait", send: "early\r" },
        { expect: "Token: ", send: `${TOKEN}\r` },
      ],
    });
    assertEquals(await Deno.readTextFile(file), TOKEN);
  } finally {
    await Deno.remove(file);
  }
});

unix.test("prompt() leaves nothing that was pasted to the next program", async () => {
  const result = await runInPty([
    await shellPath(),
    "-c",
    '"$@"; echo "then: $(head -n 1)"',
    "sh",
    ...command({}),
  ], {
    env,
    limit,
    steps: [
      {
        expect: "Token: ",
        // What a terminal holds at once: the rest could come after the flush.
        send: `first\r${"x".repeat(2048)}${TOKEN}\r`,
      },
      { expect: "outcome: line", send: "next\r" },
    ],
  });
  assertStringIncludes(result.output, "then: next");
  assert(!result.output.includes(TOKEN), result.output);
});

unix.test("prompt() ends with Ctrl-D on an empty line", async () => {
  const result = await ask({}, [{ expect: "Token: ", send: "\x04" }]);
  assertStringIncludes(result.output, "outcome: end-of-input");
  assertEquals([result.typed, result.echoesAfter], ["", true]);
});

unix.test("prompt() ends with Ctrl-C", async () => {
  for (const echo of [false, true]) {
    const result = await ask({ echo }, [
      { expect: "Token: ", send: `half a ${TOKEN}\x03` },
    ]);
    assertStringIncludes(result.output, "\r\noutcome: interrupted");
    assertEquals([result.typed, result.echoesAfter], ["", true]);
    if (!echo) assert(!result.output.includes(TOKEN), result.output);
  }
});

unix.test("prompt() ends at the deadline, and drops what was typed", async () => {
  const shell = await shellPath();
  const result = await runInPty([
    shell,
    "-c",
    `"$@"; echo "then: $(head -n 1)"`,
    "sh",
    ...command({ limit: 3000 }),
  ], {
    env,
    limit,
    steps: [
      { expect: "Token: ", send: TOKEN },
      { expect: "outcome: timeout", send: "next\r" },
    ],
  });
  assertStringIncludes(result.output, "then: next");
  assert(!result.output.includes(TOKEN), result.output);
  assertEquals(result.echoes, [false, true]);
});

unix.test("prompt() puts the terminal back before a signal ends the program", async () => {
  const signals = { SIGTERM: 15, SIGHUP: 1, SIGQUIT: 3 };
  for (const [name, signal] of Object.entries(signals)) {
    const result = await ask({ signal }, [{ expect: "Token: ", send: "half" }]);
    assertEquals(result.code, 128 + signal, name);
    assertEquals([result.echoes, result.echoesAfter], [[false], true], name);
    assert(!result.output.includes("outcome"), result.output);
  }
});

unix.test("prompt() survives Ctrl-Z: the shell echoes, then it asks anew", async () => {
  const shell = await shellPath();
  const program = command({}).map((part) => `'${part}'`).join(" ");
  const result = await runInPty([shell, "-i"], {
    env,
    limit,
    steps: [
      { expect: "sh> ", send: `${program}\r` },
      { expect: "Token: ", send: "half\x1a" },
      { expect: "sh> ", send: "fg\r" },
      { expect: "Token: ", send: `${TOKEN}\r` },
      { expect: "outcome: line", send: "exit\r" },
    ],
  });
  assertEquals(result.echoes, [true, false, true, false, true]);
  assert(!result.output.includes(TOKEN), result.output);
  assert(!result.output.includes("half"), result.output);
});

unix.test("prompt() is not stopped by Ctrl-Z where nothing could continue it", async () => {
  const result = await ask({}, [{ expect: "Token: ", send: "\x1a" }, {
    expect: "Token: ",
    send: `${TOKEN}\r`,
  }]);
  assertEquals(result.typed, TOKEN);
});

unix.test("prompt() waits in the background, and asks in the foreground", async () => {
  const shell = await shellPath();
  const program = command({}).map((part) => `'${part}'`).join(" ");
  const result = await runInPty([shell, "-i"], {
    env,
    limit,
    steps: [
      { expect: "sh> ", send: `${program}\r` },
      { expect: "Token: ", send: "\x1a" },
      { expect: "sh> ", send: "bg\r" },
      { expect: "sh> ", send: "sleep 0.3; jobs\r" },
      { expect: "Running", send: "fg\r" },
      { expect: "Token: ", send: `${TOKEN}\r` },
      { expect: "outcome: line", send: "exit\r" },
    ],
  });
  assert(!result.output.includes(TOKEN), result.output);
});

unix.test("prompt() in a background job answers no-terminal and is not stopped", async () => {
  const shell = await shellPath();
  const program = command({}).map((part) => `'${part}'`).join(" ");
  const result = await runInPty([shell, "-i"], {
    env,
    limit,
    steps: [
      { expect: "sh> ", send: `${program} &\r` },
      { expect: "outcome: no-terminal", send: "jobs; exit\r" },
    ],
  });
  assertStringIncludes(result.output, "canAsk: false");
  assert(!result.output.includes("Stopped"), result.output);
  assert(!result.output.includes("Token: \r"), result.output);
});

unix.test("prompt() answers no-terminal where there is none", async () => {
  const setsid = await findProgram("setsid") ??
    missing("setsid", "apt-get install util-linux");
  const { stderr } = await new Deno.Command(setsid, {
    args: ["--wait", ...command({})],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  assertEquals(
    new TextDecoder().decode(stderr),
    "canAsk: false\noutcome: no-terminal\n",
  );
});

unix.test("prompt() prints a question without its control characters", async () => {
  const question = "Token \x1b[31mof\x07 evil\u202e: ";
  const result = await ask({ question }, [
    { expect: "Token of evil: ", send: `${TOKEN}\r` },
  ]);
  assertEquals(result.typed, TOKEN);
});

async function shellPath(): Promise<string> {
  return await findProgram("dash") ?? missing("dash", "apt-get install dash");
}
