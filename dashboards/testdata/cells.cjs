// Reads panels and the answers to their queries, as JSON, from standard input, and writes what Grafana's own library
// (@grafana/data, in the folder that the first argument names) makes of them: of each panel its fields, of each field its
// name and the text of each cell.
const none = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
globalThis.window = { localStorage: none, sessionStorage: none, navigator: {}, location: {}, addEventListener: () => {} };
globalThis.localStorage = none;
Object.defineProperty(globalThis, 'navigator', { value: { language: 'en-US', languages: ['en-US'] }, configurable: true });
console.log = console.info = console.debug = console.error; // the answer alone goes to standard output
// Hooks for components want a page to be on; nothing here is a component.
const modules = require('module');
const load = modules._load;
modules._load = (name, ...more) => (name === 'react-use' ? {} : load(name, ...more));
const grafana = require(process.argv[2] + '/node_modules/@grafana/data');

const options = ['unit', 'decimals', 'noValue', 'min', 'max', 'thresholds', 'color', 'mappings', 'links'];
grafana.standardFieldConfigEditorRegistry.setInit(() => options.map((id) => ({
  id, path: id, name: id, isCustom: false, settings: {}, process: (value) => value, shouldApply: () => true,
})));
const theme = grafana.createTheme();

// configFromData is part of Grafana, not of its library.
function configured(frames, transformation) {
  const { configRefId, applyTo, mappings } = transformation.options;
  const from = frames.find((f) => f.refId === configRefId);
  const set = {};
  for (const field of from.fields) {
    const mapping = mappings.find((m) => m.fieldName === grafana.getFieldDisplayName(field, from));
    const value = grafana.reduceField({ field, reducers: ['lastNotNull'] }).lastNotNull;
    if (mapping && value !== null && value !== undefined) {
      set[mapping.handlerKey] = value;
    }
  }
  const matches = grafana.getFieldMatcher(applyTo);
  return frames.filter((f) => f !== from).map((f) => ({
    fields: f.fields.map((field) => matches(field, f, frames) ? { ...field, config: { ...field.config, ...set } } : field),
    length: f.length,
  }));
}

function shown({ panel, frames }) {
  let data = frames.map((f) => grafana.createDataFrame({ refId: f.name, name: f.name, fields: f.fields }));
  for (const transformation of panel.transformations || []) {
    data = configured(data, transformation);
  }
  const fieldConfig = structuredClone(panel.fieldConfig);
  fieldConfig.defaults.custom = {};
  const applied = grafana.applyFieldOverrides({ data, fieldConfig, theme, timeZone: 'utc', replaceVariables: (text) => text });
  return applied.flatMap((f) => f.fields.map((field) => ({
    name: grafana.getFieldDisplayName(field, f, applied),
    cells: field.values.map((value) => grafana.formattedValueToString(field.display(value))),
  })));
}

const input = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(input.map(shown)));
