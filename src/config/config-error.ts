/** What is wrong with a setting. */
export type ConfigErrorCode =
  /** No setting has this name. */
  | 'CONFIG_UNKNOWN_SETTING'
  /** The name carries a prefix of the Celery modules; the message says the new name. */
  | 'CONFIG_OLD_NAME'
  /** The value cannot be read as what the setting needs. */
  | 'CONFIG_BAD_VALUE'
  /** Each value is right by itself, but they contradict each other. */
  | 'CONFIG_INCONSISTENT';

/**
 * A configuration that the program must not start with.
 *
 * The message is one line for people: it names the setting and never repeats a secret.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  /** Name of the setting as it stands in the environment, such as `G2P_BRIDGE_PORT`. */
  readonly setting: string;

  /**
   * @param code what is wrong, see {@link ConfigErrorCode}
   * @param setting name as it stands in the environment
   * @param problem the rest of the sentence that begins with the name
   */
  constructor(code: ConfigErrorCode, setting: string, problem: string) {
    super(`${setting} ${problem}`.replace(/\p{Cc}+/gu, ' '));
    this.code = code;
    this.setting = setting;
  }
}
