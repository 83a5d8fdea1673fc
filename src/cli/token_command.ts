import { print, printError } from "../base/print.ts";
import { printable } from "../base/printable.ts";
import { describeNoToken, lookUpToken } from "./look_up_token.ts";
import { Workplace, WorkplaceError } from "./workplace.ts";

/** What `token` was asked for. */
export interface TokenArgs {
  readonly registry: string;
}

/**
 * `token`: prints the token of a registry that is named, and nothing else, on
 * standard output.
 *
 * @returns The exit status.
 */
export async function tokenCommand({ registry }: TokenArgs): Promise<number> {
  try {
    const place = await Workplace.open();
    const indexUrl = place.indexOf(registry);
    const answer = indexUrl === undefined
      ? undefined
      : await lookUpToken(place, { name: registry, indexUrl }, {
        environment: true,
      });
    if (answer?.kind === "token") {
      print(answer.token.reveal());
      answer.token.wipe();
      return 0;
    }
    const why = answer === undefined
      ? "no configuration binds the name to an index."
      : describeNoToken(answer, place.path);
    printError(`error: \`${printable(registry)}\`: ${why}`);
    return 1;
  } catch (error) {
    if (!(error instanceof WorkplaceError)) throw error;
    printError(`error: ${error.message}`);
    return 1;
  }
}
