import ts from 'typescript';

/**
 * The JavaScript of a TypeScript module, its types stripped and not checked.
 *
 * @throws Error naming the file when it is no TypeScript
 */
export function transpiled(source: string, fileName: string): string {
  const { outputText, diagnostics = [] } = ts.transpileModule(source, {
    fileName,
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      useDefineForClassFields: false,
    },
  });
  const [first] = diagnostics;
  if (first !== undefined) throw new Error(`${fileName}: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`);
  return outputText;
}
