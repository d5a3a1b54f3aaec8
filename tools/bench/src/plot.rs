//! The figures as SVG pictures that are readable on light and dark pages.

use crate::case_study::Way;
use crate::depth::Depth;
use crate::report::Report;
use crate::stats::lossless;
use anyhow::{Context as _, Error, Result, anyhow};
use dev::workspace;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

const WIDTH: u32 = 760;
const FONT: &str = "system-ui, sans-serif";
const PAPER: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(36, 41, 47);
const FAINT: RGBColor = RGBColor(216, 222, 228);
const OURS: RGBColor = RGBColor(9, 105, 218);
const OTHERS: RGBColor = RGBColor(140, 149, 159);

/// Draws every picture that the report has figures for.
pub(crate) fn all(report: &Report, folder: &Path) -> Result<()> {
    let at = |name: &str| folder.join(name);
    if !report.cold.is_empty() {
        let rows: Vec<_> =
            report.cold.iter().map(|row| (row.candidate.to_owned(), row.total_cpu.value)).collect();
        bars(&at("cold.svg"), "Cold start: CPU until the first answer, ms", &rows)?;
    }
    if !report.depth.is_empty() {
        let lines_of = |file: &str, title: &str, f: fn(&Depth) -> f64| {
            let of = |name: &str| {
                report
                    .depth
                    .iter()
                    .filter(|row| row.candidate == name)
                    .map(|row| (f64::from(row.page), f(row)))
                    .collect()
            };
            lines(
                &at(file),
                title,
                &[("cursor", OURS, of("lean-routes")), ("offset", OTHERS, of("offset"))],
            )
        };
        lines_of("depth-time.svg", "Time of one page by its depth, ms", |row| row.p50.value / 1e3)?;
        lines_of("depth-units.svg", "Read units of one page by its depth", |row| row.units)?;
    }
    if !report.fields.is_empty() {
        let rows: Vec<_> = report
            .fields
            .iter()
            .map(|row| (format!("fields: {}", row.fields), lossless(row.body_bytes as u64) / 1e3))
            .collect();
        bars(&at("fields.svg"), "Body of 100 products by `fields`, kB", &rows)?;
    }
    if let Some(study) = &report.case_study {
        let name = |row: &Way| {
            if row.extrapolated {
                format!("{} (extrapolated)", row.candidate)
            } else {
                row.candidate.to_owned()
            }
        };
        let rows: Vec<_> = study
            .rows
            .iter()
            .filter(|row| row.extrapolated || row.candidate != "naive")
            .map(|row| (name(row), row.wall))
            .collect();
        let title = format!(
            "{} orders, {} ms a round trip: time of the answer, ms",
            study.orders, study.round_trip_milliseconds
        );
        bars(&at("case-study.svg"), &title, &rows)?;
    }
    Ok(())
}

/// Draws the answers to GraphQL queries.
pub(crate) fn graphql(report: &Report, folder: &Path) -> Result<()> {
    let rows: Vec<_> = report
        .warm
        .iter()
        .map(|row| (format!("{}: {}", row.candidate, row.scenario), row.p50.value / 1e3))
        .collect();
    bars(&folder.join("graphql.svg"), "GraphQL: p50 of the answer, ms", &rows)
}

/// Draws the lists with the cache tier and without it.
pub(crate) fn tier(report: &Report, round_trip: u64, folder: &Path) -> Result<()> {
    let rows: Vec<_> = report
        .warm
        .iter()
        .map(|row| (format!("{}: {}", row.candidate, row.scenario), row.p50.value / 1e3))
        .collect();
    let title = format!("{round_trip} ms a round trip to DynamoDB: p50 of the answer, ms");
    bars(&folder.join("tier.svg"), &title, &rows)
}

fn failed<'a, E: std::fmt::Display>(path: &'a Path) -> impl Fn(E) -> Error + 'a {
    move |error| anyhow!("cannot draw {}: {error}", workspace::shown(path))
}

/// One bar for each value; this bundle's stands out.
fn bars(path: &Path, title: &str, rows: &[(String, f64)]) -> Result<()> {
    const ROW: i32 = 34;
    const LEFT: i32 = 260;
    const RIGHT: i32 = 640;
    let height = u32::try_from(rows.len()).unwrap_or(1) * 34 + 64;
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&PAPER).map_err(failed(path))?;
    let text =
        |size: i32, h: HPos| (FONT, size).into_font().color(&INK).pos(Pos::new(h, VPos::Center));
    root.draw(&Text::new(title.to_owned(), (16, 24), text(16, HPos::Left)))
        .map_err(failed(path))?;
    let most = rows.iter().map(|row| row.1).fold(f64::MIN_POSITIVE, f64::max);
    for ((label, value), i) in rows.iter().zip(0..) {
        let y = 50 + i * ROW + ROW / 2;
        #[expect(clippy::cast_possible_truncation, reason = "a width in pixels")]
        let end = LEFT + ((value / most) * f64::from(RIGHT - LEFT)).round().max(2.0) as i32;
        let color = if label.starts_with("lean-routes") || label.ends_with(": name") {
            OURS
        } else {
            OTHERS
        };
        root.draw(&Text::new(label.clone(), (LEFT - 10, y), text(14, HPos::Right)))
            .map_err(failed(path))?;
        root.draw(&Rectangle::new([(LEFT, y - 11), (end, y + 11)], color.filled()))
            .map_err(failed(path))?;
        let value = if *value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        root.draw(&Text::new(value, (end + 8, y), text(14, HPos::Left))).map_err(failed(path))?;
    }
    root.present().with_context(|| format!("cannot write {}", workspace::shown(path)))
}

/// A line: its name, its colour, its points.
type Series<'a> = (&'a str, RGBColor, Vec<(f64, f64)>);

/// Lines over the number of the page.
fn lines(path: &Path, title: &str, series: &[Series<'_>]) -> Result<()> {
    let root = SVGBackend::new(path, (WIDTH, 360)).into_drawing_area();
    root.fill(&PAPER).map_err(failed(path))?;
    let points = || series.iter().flat_map(|(_, _, points)| points.iter().copied());
    let (right, top) =
        points().fold((1.0, 0.0), |(x, y): (f64, f64), point| (x.max(point.0), y.max(point.1)));
    let mut chart = ChartBuilder::on(&root)
        .caption(title, (FONT, 16).into_font().color(&INK))
        .margin(16)
        .margin_right(70)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..right * 1.02, 0.0..top * 1.08)
        .map_err(failed(path))?;
    let label = || (FONT, 13).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(FAINT)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style(label())
        .x_desc("page (of 10 items)")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| if top < 10.0 { format!("{y:.1}") } else { format!("{y:.0}") })
        .draw()
        .map_err(failed(path))?;
    for (name, color, points) in series {
        chart
            .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(3)))
            .map_err(failed(path))?;
        let last = points.last().copied().into_iter();
        let named = last.map(|point| {
            EmptyElement::at(point) + Text::new((*name).to_owned(), (6, -6), label().color(color))
        });
        chart.draw_series(named).map_err(failed(path))?;
    }
    root.present().with_context(|| format!("cannot write {}", workspace::shown(path)))
}
