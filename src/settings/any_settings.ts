import { mayBeThere } from "../../ffi/presence.ts";
import { resolvePath } from "../base/paths.ts";
import type { SettingsSources } from "./load_settings.ts";
import { systemFilePath, USER_FILE_NAME, VARIABLE_PREFIX } from "./places.ts";

/**
 * Whether anything may be set anywhere. If not, the defaults hold, and there is
 * nothing to tell of any setting.
 */
export function anySettings(
  { env, cargoHome, os, systemFile: given }: SettingsSources,
): boolean {
  const systemFile = given?.path ?? systemFilePath(os);
  return systemFile === undefined || mayBeThere(systemFile) ||
    Object.keys(env).some((name) =>
      name.toUpperCase().startsWith(VARIABLE_PREFIX)
    ) ||
    (cargoHome !== undefined &&
      mayBeThere(resolvePath(cargoHome, USER_FILE_NAME)));
}
