export { default } from '../src/jest-global-setup.ts';
