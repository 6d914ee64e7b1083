export { default } from '../src/closing-line-reporter.ts';
