export { playLife } from './play-life.ts';
export { playStory } from './play-story.ts';
