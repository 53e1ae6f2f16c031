import { hex } from '../qtest.js';

/** A word as the shell reads it. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A call of one of the prelude's functions. Numbers become hexadecimal. */
export function call(name: string, ...words: readonly (string | bigint)[]): string {
  return [name, ...words.map((word) => (typeof word === 'bigint' ? hex(word) : quoted(word)))].join(' ');
}

/** A comment of as many lines as the text needs. */
export function comment(text: string, width: number = 116): readonly string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    lines.push(line);
  }
  return lines.map((line) => `# ${line}`.trimEnd());
}

/** Bytes as hexadecimal digits. */
export function digits(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}
