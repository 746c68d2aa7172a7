import { LineReader } from './lines.ts';
import { MessageReader } from './message.ts';
import type { Mt940Event, Mt940Options, Mt940Source } from './types.ts';

export const lineBytesMaxDefault = 2000;
export const narrativeLinesMaxDefault = 100;

/** Bytes or characters read at once, whatever comes: what is made of them is soon garbage, and stays young. */
const sliceLength = 8_192;

/**
 * Reads an MT940 file of any size as it arrives, holding one line and one entry. Yields what it finds in
 * file order; a consumer must be ready for a refusal after any number of events and undo what it did.
 * Tolerates what banks are known to do (each tolerance is described where it is implemented) and refuses
 * everything else.
 * @throws Mt940Error with code, line and tag
 */
export async function* parseMt940(
  source: Mt940Source,
  options: Mt940Options = {},
): AsyncGenerator<Mt940Event, void, undefined> {
  const lines = new LineReader(options.encoding ?? 'detect', options.lineBytesMax ?? lineBytesMaxDefault);
  const message = new MessageReader({
    checkBalances: options.checkBalances ?? true,
    narrativeLinesMax: options.narrativeLinesMax ?? narrativeLinesMaxDefault,
    isPart: options.isPart ?? false,
  });
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += sliceLength) {
      for (const line of lines.push(chunk.slice(at, at + sliceLength))) {
        message.accept(line, lines.number);
        for (let event = message.take(); event !== undefined; event = message.take()) yield event;
      }
    }
  }
  for (const line of lines.end()) message.accept(line, lines.number);
  message.end(lines.number);
  for (let event = message.take(); event !== undefined; event = message.take()) yield event;
}
