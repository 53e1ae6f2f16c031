import { styleText } from 'node:util';

/** How a line is drawn where there are colours. */
export type Style = 'bold' | 'red' | 'green' | 'yellow' | 'gray' | 'cyan';

/** A line of a story, before it is fitted to the terminal. */
export interface Line {
  readonly text: string;
  /** Columns before it. */
  readonly indent: number;
  /** Further columns before what does not fit on the first line. */
  readonly hang: number;
  readonly style: Style | undefined;
}

/** A line; what does not fit is set in by so many more columns. */
export function line(indent: number, text: string, style?: Style, hang: number = 4): Line {
  return { text, indent, hang, style };
}

/** Lines as text, none wider than the terminal where words allow. */
export function layOut(lines: readonly Line[], width: number, colour: boolean): string {
  const paint = (style: Style | undefined, text: string): string =>
    colour && style !== undefined && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  return lines
    .flatMap(({ text, indent, hang, style }) =>
      wrapped(text, width - indent, hang).map((each) => (each === '' ? '' : ' '.repeat(indent) + paint(style, each))),
    )
    .join('\n');
}

function wrapped(text: string, width: number, hang: number): readonly string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let current = '';
  // Spaces that align columns stay, except where a line ends.
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    const fits = current.length + word.trimEnd().length <= width;
    if (!fits && current.trim() !== '') {
      lines.push(current.trimEnd());
      current = ' '.repeat(hang);
    }
    current += word;
  }
  return [...lines, current.trimEnd()];
}
