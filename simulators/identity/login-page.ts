import type { User } from './users.ts';

/**
 * The page where people sign in: a button for each, no passwords.
 *
 * @param action where the choice is sent
 */
export function loginPage(users: readonly User[], clientId: string, action: string): string {
  const buttons = users.map(({ sub, name, roles }) => {
    const what = roles.length > 0 ? roles.join(', ') : 'no role';
    return `<p><button name="user" value="${escaped(sub)}">${escaped(name)}</button> ${escaped(what)}</p>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in</title>
<link rel="icon" href="data:,">
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 10vh auto; padding: 0 1rem }
button { font: inherit; padding: 0.3rem 1rem; min-width: 12rem }</style>
<h1>Sign in to ${escaped(clientId)}</h1>
<form method="post" action="${escaped(action)}">
${buttons.join('\n')}
</form>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => ENTITIES[mark] ?? mark);
