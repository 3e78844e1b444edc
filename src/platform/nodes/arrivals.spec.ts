import { Arrivals } from './arrivals.js';

describe('What has arrived from another node', () => {
  it('knows of a gap until it is filled, in whatever order', () => {
    const arrivals = new Arrivals(4);
    arrivals.add(7);
    arrivals.add(5);
    expect([arrivals.include(5), arrivals.include(7)]).toEqual([true, false]);
    arrivals.add(6);
    expect([arrivals.include(7), arrivals.include(8)]).toEqual([true, false]);
  });

  it('is not deceived later by what comes after it was given up', () => {
    const arrivals = new Arrivals(0);
    arrivals.add(2);
    arrivals.giveUp(1);
    arrivals.add(1);
    expect([arrivals.include(2), arrivals.include(3)]).toEqual([true, false]);
  });
});
