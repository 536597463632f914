import { describe, expect, test } from 'vitest';
import { Forecast } from './forecast.js';

const land = (forecast: Forecast, batches: number, executeMs = 10): void => {
  for (let i = 0; i < batches; i += 1) forecast.landed(executeMs, 10);
};

describe('forecast', () => {
  test('knows the rows of batches lately, and how full a full one gets', () => {
    const forecast = new Forecast(8);
    expect(forecast).toMatchObject({ fullRows: 8, usualRows: 1 });
    for (let i = 0; i < 60; i += 1) forecast.released(6, true);
    expect(forecast.usualRows).toBeCloseTo(6, 1);
    expect(forecast.fullRows).toBeCloseTo(6, 1);
    for (let i = 0; i < 60; i += 1) forecast.released(2, false);
    expect(forecast.usualRows).toBeCloseTo(2, 1);
    expect(forecast.fullRows).toBeCloseTo(6, 1);
  });

  test('grows more cautious with each late batch, up to an end, and takes it all back', () => {
    const forecast = new Forecast(8);
    const least = forecast.caution;
    for (let i = 0; i < 100; i += 1) {
      forecast.missed();
      forecast.missed();
      forecast.landed(10, 10);
    }
    expect(forecast.caution).toBeGreaterThan(2.9);
    expect(forecast.caution).toBeLessThan(3.2);
    land(forecast, 200);
    expect(forecast.caution).toBeLessThan(1.5);
    land(forecast, 400);
    expect(forecast.caution).toBe(least);
  });

  test('several misses before a batch ends count once', () => {
    const [one, many] = [new Forecast(8), new Forecast(8)];
    one.missed();
    for (let i = 0; i < 50; i += 1) many.missed();
    for (const forecast of [one, many]) forecast.landed(10, 10);
    expect(many.caution).toBe(one.caution);
  });

  test('is certain while batches take about what was expected, and of nothing where they take anything', () => {
    const forecast = new Forecast(8);
    land(forecast, 50, 10.5);
    expect(forecast.certainty).toBe(1);
    land(forecast, 50, 13);
    expect(forecast.certainty).toBeCloseTo(0.6, 1);
    land(forecast, 50, 10_000);
    expect(forecast.certainty).toBe(0);
    land(forecast, 50, 10);
    expect(forecast.certainty).toBe(1);
  });
});
