import { type FormEvent, useEffect, useRef, useState } from 'react';
import { navigate } from './hash-location.ts';
import { links } from './links.ts';
import { Icon } from './ui/Icon.tsx';

/** Finds a record by its id, from everywhere; `/` leads here. */
export function FindBox() {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping()) return;
      event.preventDefault();
      input.current?.select();
      input.current?.focus();
    };
    document.addEventListener('keydown', focus);
    return () => document.removeEventListener('keydown', focus);
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== '') navigate(links.find(text.trim()));
  };
  return (
    <search className="find">
      <form onSubmit={submit}>
        <Icon name="find" />
        <input
          ref={input}
          type="search"
          aria-label="Find by id"
          aria-keyshortcuts="/"
          placeholder="Find by id"
          autoComplete="off"
          spellCheck={false}
          maxLength={200}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
        <kbd className="find-key">/</kbd>
      </form>
    </search>
  );
}

/** Whether a key belongs to a field or a dialog. */
const isTyping = (): boolean =>
  document.activeElement?.closest('input, textarea, select, [contenteditable], dialog') != null ||
  document.querySelector('dialog[open]') !== null;
