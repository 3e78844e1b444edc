/** From the ground up. Folders in one row are siblings: they do not know each other. */
const LAYERS = [
  ['platform'],
  ['users'],
  ['auth'],
  ['access'],
  ['conversations'],
  ['messages'],
  ['sessions', 'directs', 'servers', 'agents'],
  ['realtime', 'notifications'],
  ['legacy', 'operations'],
];

const BOOT = '^src/((main|app\\.module)\\.ts$|boot/)';
const COMMAND_LINE = '^src/operations/cli/';
const ENTITY = '\\.entity\\.ts$';

const within = (folders) => `^src/(${folders.join('|')})/`;

const pointDown = LAYERS.map((folders, row) => ({
  name: 'imports-point-down',
  comment: `${folders.join(', ')} may import what lies below, and entities.`,
  severity: 'error',
  from: { path: within(folders), pathNot: [COMMAND_LINE, ENTITY] },
  to: { path: [...LAYERS.slice(row + 1).map(within), BOOT], pathNot: ENTITY },
}));

const strangers = LAYERS.filter((folders) => folders.length > 1).map((folders) => ({
  name: 'siblings-do-not-import-each-other',
  comment: `${folders.join(', ')} meet through events, or through an interface that one of them owns.`,
  severity: 'error',
  from: { path: within(folders), pathNot: [COMMAND_LINE, ENTITY] },
  to: { path: within(folders), pathNot: ['^src/$1/', ENTITY] },
}));

module.exports = {
  forbidden: [
    ...pointDown,
    ...strangers,
    {
      name: 'entities-import-only-entities',
      comment: 'Tables are the floor that all folders share, so they stand on nothing.',
      severity: 'error',
      from: { path: ['^src/.+' + ENTITY] },
      to: { pathNot: [ENTITY, '(^|/)node_modules/typeorm/'] },
    },
    {
      name: 'every-folder-has-a-layer',
      comment: 'A folder outside LAYERS would escape every rule above: give it a row.',
      severity: 'error',
      from: { path: '^src/', pathNot: [within(LAYERS.flat()), BOOT] },
      to: {},
    },
    {
      name: 'every-folder-has-a-layer',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: [within(LAYERS.flat()), BOOT] },
    },
    {
      name: 'no-circular-imports',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-tests-in-production',
      comment: 'src is shipped; test, bench and demo are not.',
      severity: 'error',
      from: { path: '^(src/|ormconfig\\.ts$)' },
      to: { path: '^(test|bench|demo)/' },
    },
    {
      name: 'no-dev-dependencies-in-production',
      comment: 'The image leaves devDependencies out.',
      severity: 'error',
      from: { path: '^(src/|migrations/|ormconfig\\.ts$)', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ormconfig-knows-tables-only',
      comment: 'It is imported by the app, the commands and the tests, so it may drag none of the app in.',
      severity: 'error',
      from: { path: '^ormconfig\\.ts$' },
      to: { path: '^src/', pathNot: [ENTITY, '^src/platform/'] },
    },
    {
      name: 'migrations-stand-alone',
      comment: 'A released migration is frozen; what it imported would go on changing.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: '^(src/|migrations/|ormconfig\\.ts$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    // Type-only imports are knowledge too.
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
