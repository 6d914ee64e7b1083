/** The week view's library, as its package ships it; nothing is fetched from elsewhere. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type RequestHandler, Router } from 'express';

const FULLCALENDAR = dirname(createRequire(import.meta.url).resolve('fullcalendar/package.json'));
const FILES: Readonly<Record<string, string>> = {
  'fullcalendar.js': 'all/global.js',
  'fullcalendar.css': 'skeleton.css',
  'fullcalendar-theme.js': 'themes/classic/global.js',
  'fullcalendar-theme.css': 'themes/classic/theme.css',
};

export function serveVendors(): RequestHandler {
  const router = Router();
  router.get('/vendor/:file', (request, response, next) => {
    const file = FILES[request.params.file];
    if (file === undefined) return next();
    response.sendFile(join(FULLCALENDAR, file), { maxAge: '1d', dotfiles: 'allow' });
  });
  return router;
}
