import { nameToEmoji } from 'gemoji';
import { canonicalEmoji } from '../../../messages/reactions/emoji.js';

/** Where Slack calls a common one otherwise than GitHub does. */
const OTHERWISE = new Map(
  Object.entries({
    simple_smile: 'slightly_smiling_face',
    rolling_on_the_floor_laughing: 'rofl',
    face_with_rolling_eyes: 'roll_eyes',
    hugging_face: 'hugs',
    face_palm: 'facepalm',
    face_with_raised_eyebrow: 'raised_eyebrow',
    'star-struck': 'star_struck',
    grinning_face_with_star_eyes: 'star_struck',
    face_with_symbols_on_mouth: 'cursing_face',
    face_with_hand_over_mouth: 'hand_over_mouth',
    face_vomiting: 'vomiting_face',
    face_with_cowboy_hat: 'cowboy_hat_face',
    face_with_monocle: 'monocle_face',
    smiling_face_with_3_hearts: 'smiling_face_with_three_hearts',
    shocked_face_with_exploding_head: 'exploding_head',
    the_horns: 'metal',
    sign_of_the_horns: 'metal',
    hand_with_index_and_middle_fingers_crossed: 'crossed_fingers',
    i_love_you_hand_sign: 'love_you_gesture',
    'left-facing_fist': 'fist_left',
    'right-facing_fist': 'fist_right',
    'spock-hand': 'vulcan_salute',
    reversed_hand_with_middle_finger_extended: 'middle_finger',
    first_place_medal: '1st_place_medal',
    second_place_medal: '2nd_place_medal',
    third_place_medal: '3rd_place_medal',
    sports_medal: 'medal_sports',
    octagonal_sign: 'stop_sign',
    double_vertical_bar: 'pause_button',
    shopping_trolley: 'shopping_cart',
    airplane_departure: 'flight_departure',
    airplane_arriving: 'flight_arrival',
    spiral_calendar_pad: 'spiral_calendar',
    heavy_heart_exclamation_mark_ornament: 'heavy_heart_exclamation',
    dove_of_peace: 'dove',
    scales: 'balance_scale',
    knife_fork_plate: 'plate_with_cutlery',
    sleuth_or_spy: 'detective',
  }),
);

const FLAG = /^flag-([a-z])([a-z])$/;
const REGIONAL_A = 0x1f1e6;
const TONE = /^(.+)::skin-tone-([2-6])$/;
const TONE_2 = 0x1f3fb;
const MAX_NAME = 32;

/** The emoji that a name of Slack stands for; undefined for one of a workspace's own, and for a few rare ones. */
export function emojiNamed(name: string): string | undefined {
  const [, base = name, tone] = TONE.exec(name) ?? [];
  const emoji = flag(base) ?? pictured(base);
  if (emoji === undefined || tone === undefined) return emoji;
  const [first = '', ...rest] = emoji.replace(/^(.)\ufe0f/u, '$1');
  return canonicalEmoji(first + String.fromCodePoint(TONE_2 + Number(tone) - 2) + rest.join('')) ?? emoji;
}

/** What a reaction becomes: the emoji, or the name between colons, as a client may have pictures for it. */
export function reactionNamed(name: string): string {
  const own = name.replace(/::skin-tone-\d$/, '').replace(/[^\p{L}\p{N}_+-]/gu, '_');
  return emojiNamed(name) ?? `:${[...own].slice(0, MAX_NAME).join('') || '_'}:`;
}

/** `man-shrugging` and `female-cook` are `man_shrugging` and `woman_cook`, `man-running` is `running_man`. */
function pictured(name: string): string | undefined {
  const [, she, does = ''] = /^(fe|wo)?ma(?:le|n)-(.+)$/.exec(name) ?? [];
  const who = she ? 'woman' : 'man';
  const forms = [OTHERWISE.get(name) ?? name];
  if (does) forms.push(`${who}_${does}`, `${does}_${who}`);
  forms.push(name.replace(/_face$/, ''), name.replace(/^large_/, ''));
  const found = forms.map((form) => form.replaceAll('-', '_')).find((form) => Object.hasOwn(nameToEmoji, form));
  return found === undefined ? undefined : nameToEmoji[found];
}

function flag(name: string): string | undefined {
  const letters = FLAG.exec(name)?.slice(1);
  return letters?.map((letter) => String.fromCodePoint(REGIONAL_A + letter.charCodeAt(0) - 97)).join('');
}
