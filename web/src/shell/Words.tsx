// SPDX-License-Identifier: Apache-2.0

/** A sentence in which names stand in backticks, as the command line writes them: they become code. */
export function Words({ text }: { text: string }) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return <>{text}</>;
  return <>{parts.map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;
}
