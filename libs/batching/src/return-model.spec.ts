import { describe, expect, test } from 'vitest';
import { ReturnModel } from './return-model.js';

describe('return model', () => {
  test('a share near 1 stands for clients that come straight back', () => {
    const model = new ReturnModel();
    for (let batch = 0; batch < 40; batch += 1) {
      model.answered(batch * 10, 3, 2);
      for (const after of [0.4, 0.5, 0.6]) model.arrived(batch * 10 + after);
    }
    model.answered(400, 3, 2);
    expect(model.habit.share).toBeGreaterThan(0.95);
    expect(model.habit.returnMs).toBeCloseTo(0.6, 1);
  });

  test('arrivals after the window, and more than were answered, are no returns', () => {
    const model = new ReturnModel();
    for (let batch = 0; batch < 40; batch += 1) {
      model.answered(batch * 10, 2, 2);
      for (const after of [1, 5, 6, 7]) model.arrived(batch * 10 + after);
    }
    model.answered(400, 2, 2);
    expect(model.habit.share).toBeCloseTo(0.5, 2);
    expect(model.last).toMatchObject([{ at: 400, answered: 2, arrived: 0 }]);
  });

  test('independent requests are no returns, however many arrive in each window', () => {
    const model = new ReturnModel();
    for (let at = 0; at < 1000; at += 1) {
      model.arrived(at / 2);
      if (at % 3 === 0) model.answered(at / 2, 3, 4);
    }
    expect(model.habit.share).toBeLessThan(0.1);
  });

  test('nothing is learned without a window', () => {
    const model = new ReturnModel();
    model.answered(0, 1, 0);
    model.arrived(0);
    model.answered(1, 1, 0);
    expect(model.habit).toEqual({ share: 0, returnMs: 0 });
  });

  test('arrivals count for the oldest batch that misses some, while its window is open', () => {
    const model = new ReturnModel();
    model.answered(0, 2, 5);
    model.answered(1, 3, 5);
    for (const at of [2, 2, 3]) model.arrived(at);
    expect(model.last).toMatchObject([
      { at: 0, answered: 2, arrived: 2 },
      { at: 1, answered: 3, arrived: 1 },
    ]);
    model.answered(5.5, 1, 5);
    expect(model.last).toMatchObject([
      { at: 1, arrived: 1 },
      { at: 5.5, arrived: 0 },
    ]);
    model.arrived(6.5);
    expect(model.last).toMatchObject([{ arrived: 1 }, { arrived: 1 }]);
    expect(model.last[0]).toMatchObject({ at: 1, answered: 3 });
  });
});
