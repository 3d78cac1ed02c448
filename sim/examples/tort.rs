//! Temporary.
use sorthub_core::units::Micros;
use sorthub_sim::torture::{run_seed, run_with, length, draw, draw_faults};
fn main() {
    std::panic::set_hook(Box::new(|p| { sorthub_sim::torture::note_panic(p.to_string()); }));
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap();
    let horizon = Micros::from_secs(3600);
    match what.as_str() {
        "seeds" => for seed in args.map(|a| a.parse::<u64>().unwrap()) {
            match run_seed(seed, horizon) {
                Ok(p) => println!("{seed}: ok {} parcels", p.parcels),
                Err(b) => println!("{seed}: {} at {}", b.what, b.at.0 as f64 / 1e6),
            }
        },
        "hub" => for seed in args.map(|a| a.parse::<u64>().unwrap()) {
            let d = draw(seed);
            println!("{:#?}", d.hub.spec());
            println!("{:#?}", d.plan.spec());
            for f in draw_faults(seed, &d.hub, length(seed, horizon)) { println!("{f}"); }
        },
        "with" => {
            // seed keep-list (indices)
            let seed: u64 = args.next().unwrap().parse().unwrap();
            let keep: Vec<usize> = args.map(|a| a.parse().unwrap()).collect();
            let l = length(seed, horizon);
            let d = draw(seed);
            let f: Vec<_> = draw_faults(seed, &d.hub, l).into_iter().enumerate().filter(|(i, _)| keep.contains(i)).map(|(_, f)| f).collect();
            println!("{:?}", run_with(seed, l, &f));
        }
        "shrink" => for seed in args.map(|a| a.parse::<u64>().unwrap()) {
            let l = length(seed, horizon);
            let d = draw(seed);
            let all = draw_faults(seed, &d.hub, l);
            let mut keep: Vec<usize> = (0..all.len()).collect();
            let run = |keep: &[usize]| { let f: Vec<_> = keep.iter().map(|i| all[*i]).collect(); run_with(seed, l, &f) };
            if run(&keep).is_ok() { println!("{seed}: ok"); continue; }
            let mut i = 0;
            while i < keep.len() { let mut k = keep.clone(); k.remove(i); if run(&k).is_err() { keep = k } else { i += 1 } }
            println!("{seed}: {keep:?} of {} {:?}", all.len(), run(&keep));
            for i in &keep { println!("   {}", all[*i]); }
        },
        "all" => {
            let r = sorthub_sim::torture::torture(1, args.next().unwrap().parse().unwrap(), horizon, &|| {});
            for f in &r.failures { println!("{}: {} at {}", f.seed, f.broken.what, f.broken.at.0 as f64 / 1e6); }
            println!("{} passed", r.passed);
        }
        _ => {}
    }
}
