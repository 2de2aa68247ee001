/** Rises when a client of the previous number could misread an answer. Adding a method, field or event does not raise it. */
export const PROTOCOL_VERSION = 1;
