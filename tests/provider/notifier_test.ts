import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EMPTY_STATE, type State } from "../../src/state/state.ts";
import { keepNotice } from "../../src/state/notices.ts";
import type {
  NoticeFrequency,
  NoticeText,
} from "../../src/provider/notices.ts";
import { Notifier } from "../../src/provider/notifier.ts";

const URL = "sparse+https://alt.example/index/";

/** What a notifier remembers, and what it has printed. */
interface Memory {
  state: State;
  printed: string;
}

/** Runs `use` with a notifier whose standard error is `terminal` or not. */
async function withNotifier(
  options: {
    readonly memory?: Memory;
    readonly ci?: boolean;
    readonly terminal?: boolean;
    readonly forgets?: boolean;
    readonly closed?: boolean;
  },
  use: (notifier: Notifier) => Promise<void>,
): Promise<Memory> {
  const memory = options.memory ?? { state: EMPTY_STATE, printed: "" };
  const { stderr } = Deno;
  const { writeSync, isTerminal } = stderr;
  stderr.writeSync = (bytes) => {
    if (options.closed) throw new Deno.errors.BrokenPipe();
    memory.printed += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  stderr.isTerminal = () => options.terminal ?? false;
  try {
    await use(
      new Notifier({
        indexUrl: URL,
        ci: options.ci ?? false,
        state: () => Promise.resolve(memory.state),
        remember: async (change) => {
          if (!options.forgets) memory.state = await change(memory.state);
          return !options.forgets;
        },
      }),
    );
  } finally {
    stderr.writeSync = writeSync;
    stderr.isTerminal = isTerminal;
  }
  return memory;
}

function notice(frequency: NoticeFrequency): NoticeText {
  return { level: "warning", text: "it is so", frequency, topic: "topic" };
}

for (
  const [frequency, times] of [
    ["each", 2],
    ["daily", 1],
    ["once", 1],
    ["never", 0],
  ] as const
) {
  const name = `notice() gives what is for ${frequency}`;
  Deno.test(`${name} ${times} times of two at a terminal`, async () => {
    const terminal = { terminal: true };
    const { printed } = await withNotifier(terminal, async (notifier) => {
      await notifier.notice(notice(frequency), false);
      await notifier.notice(notice(frequency), false);
    });
    assertEquals(printed, "warning: it is so\n".repeat(times));
  });

  Deno.test(`${name} each time where the command ends there`, async () => {
    const terminal = { terminal: true };
    const { printed } = await withNotifier(terminal, async (notifier) => {
      await notifier.notice(notice(frequency), true);
      await notifier.notice(notice(frequency), true);
    });
    assertEquals(printed, "warning: it is so\n".repeat(2));
  });

  Deno.test(`${name} to a terminal although a log has had it`, async () => {
    const memory = await withNotifier({}, async (notifier) => {
      await notifier.notice(notice(frequency), false);
      await notifier.notice(notice(frequency), false);
    });
    assertEquals(memory.printed, "warning: it is so\n".repeat(times));
    memory.printed = "";
    await withNotifier({ memory, terminal: true }, async (notifier) => {
      await notifier.notice(notice(frequency), false);
    });
    assertEquals(memory.printed !== "", frequency !== "never");
  });
}

Deno.test("notice() tells each topic", async () => {
  const { printed } = await withNotifier({}, async (notifier) => {
    await notifier.notice(notice("once"), false);
    await notifier.notice({ ...notice("once"), topic: "another" }, false);
  });
  assertEquals(printed.split("\n").length, 3);
});

Deno.test("notice() under CI tells only what changes the answer", async () => {
  const { printed } = await withNotifier({ ci: true }, async (notifier) => {
    await notifier.notice(notice("each"), false);
    await notifier.notice({ ...notice("each"), text: "it failed" }, true);
    await notifier.notice({ ...notice("never"), text: "never" }, false);
  });
  assertEquals(printed, "warning: it failed\n");
});

Deno.test("notice() that cannot be remembered is given again", async () => {
  const { printed } = await withNotifier(
    { forgets: true, terminal: true },
    async (notifier) => {
      await notifier.notice(notice("once"), false);
      await notifier.notice(notice("once"), false);
    },
  );
  assertEquals(printed, "warning: it is so\n".repeat(2));
});

Deno.test("announce() keeps what nobody at a terminal has read", async () => {
  const memory = await withNotifier({}, async (notifier) => {
    await notifier.announce(["moved", "and more"]);
    await notifier.deliver();
  });
  assertEquals(memory.printed, "moved\nand more\n");
  assertEquals(memory.state.kept.map(({ text }) => text), ["moved\nand more"]);

  memory.printed = "";
  await withNotifier({ memory, terminal: true }, async (notifier) => {
    await notifier.deliver();
    await notifier.deliver();
  });
  assertStringIncludes(memory.printed, "unseen until now:\nmoved\nand more\n");
  assertEquals(memory.printed.split("unseen until now").length, 2);
  assertEquals(memory.state.kept, []);
});

Deno.test("announce() at a terminal keeps nothing", async () => {
  const { state, printed } = await withNotifier(
    { terminal: true },
    async (notifier) => {
      await notifier.announce(["moved"]);
      await notifier.deliver();
    },
  );
  assertEquals(printed, "moved\n");
  assertEquals(state, EMPTY_STATE);
});

Deno.test("deliver() tells what was kept for every registry", async () => {
  const kept = (indexUrl: string): Parameters<typeof keepNotice>[1] => ({
    indexUrl,
    topic: "announcement",
    text: `moved ${indexUrl}`,
    at: 0,
  });
  const state = keepNotice(keepNotice(EMPTY_STATE, kept(URL)), kept("other"));
  const memory = await withNotifier(
    { memory: { state, printed: "" }, terminal: true },
    (notifier) => notifier.deliver(),
  );
  assertStringIncludes(memory.printed, `moved ${URL}`);
  assertStringIncludes(memory.printed, "moved other");
  assertEquals(memory.state.kept, []);
});

Deno.test("deliver() shows nothing but text, and any time", async () => {
  const state = keepNotice(EMPTY_STATE, {
    indexUrl: URL,
    topic: "announcement",
    text: "moved \x1b[2J\u202ehere\nand more",
    at: Number.MAX_VALUE,
  });
  const { printed } = await withNotifier(
    { memory: { state, printed: "" }, terminal: true },
    (notifier) => notifier.deliver(),
  );
  assertStringIncludes(printed, "moved here\nand more\n");
  assert(!/\p{Cf}|(?!\n)\p{Cc}/u.test(printed), JSON.stringify(printed));
});

Deno.test("a standard error that is closed is no failure", async () => {
  const { printed } = await withNotifier(
    { closed: true },
    async (notifier) => {
      await notifier.notice(notice("each"), false);
      await notifier.announce(["moved"]);
    },
  );
  assertEquals(printed, "");
});
