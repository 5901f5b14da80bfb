#!/usr/bin/env python3
# Source: the generator of synthetic histories that this project measures itself by, as of November 2026. Unchanged
# but for this note: it defines what the figures mean, so it is neither reformatted nor type-checked here (see the
# excludes in pyproject.toml).
"""history_gen.py OUT N [--pkgs P] [--seed S]: synthetic conventional-commit history via git fast-import (deterministic)."""
import sys,random,subprocess,os,argparse
ap=argparse.ArgumentParser();ap.add_argument('out');ap.add_argument('n',type=int);ap.add_argument('--pkgs',type=int,default=0);ap.add_argument('--seed',type=int,default=7);ap.add_argument('--tag-every',type=int,default=100)
a=ap.parse_args();R=random.Random(a.seed)
os.makedirs(a.out);subprocess.check_call(['git','init','-q','-b','main',a.out])
p=subprocess.Popen(['git','-C',a.out,'fast-import','--quiet'],stdin=subprocess.PIPE);w=p.stdin.write
T=['feat']*20+['fix']*35+['docs']*10+['chore']*15+['refactor']*8+['test']*7+['perf']*3+['ci']*2
W='add remove update handle support improve avoid allow prevent expose parser cache token stream buffer layout theme router config loader worker retry timeout schema index query null edge case windows memory leak race default option flag'.split()
A=[(f'Dev {i}',f'dev{i}@example.com') for i in range(120)]
S=['core','api','ui','cli','db','auth','docs','build','parser','router']
ver=[0,1,0];pend=0;pv={};pc={};pp={}
def rank(m,t,brk): return 3 if brk else 2 if t=='feat' else 1 if t in('fix','perf') else 0
def bump(v,r):
    v=list(v)
    if r==3: v=[v[0]+1,0,0]
    elif r==2: v=[v[0],v[1]+1,0]
    elif r==1: v=[v[0],v[1],v[2]+1]
    return v
ts=1400000000
for i in range(a.n):
    t=R.choice(T);brk=False;n,e=R.choice(A);ts+=R.randint(60,7200)
    subj=' '.join(R.choice(W) for _ in range(R.randint(3,8)))
    if a.pkgs:
        k=1 if R.random()<.8 else (2 if R.random()<.75 else 10)
        pk=sorted(R.sample(range(a.pkgs),k));sc=f'pkg-{pk[0]:03d}' if k==1 and R.random()<.7 else None
        files=[f'packages/pkg-{x:03d}/src/f{R.randint(0,19):02d}.txt' for x in pk]
    else:
        sc=R.choice(S) if R.random()<.6 else None;pk=[]
        files=[f'src/m{R.randint(0,39):02d}/f{R.randint(0,19):02d}.txt']
    x=R.random();head=f'{t}({sc})' if sc else t
    foot=[]
    if x<.03: head=None;t='x'
    if x>.995: brk=True;head+='!'
    if x>.992 and x<=.995: brk=True;foot.append('BREAKING CHANGE: '+' '.join(R.choice(W) for _ in range(15)))
    msg=(f'{head}: ' if head else '')+subj+(f' (#{i})' if R.random()<.7 else '')
    if R.random()<.4: msg+='\n\n'+'\n'.join(' '.join(R.choice(W) for _ in range(10)) for _ in range(R.randint(1,6)))
    if R.random()<.2: foot.append(f'Closes #{R.randint(1,i+1)}')
    if R.random()<.05: foot.append('Co-authored-by: Dev X <devx@example.com>')
    if foot: msg+='\n\n'+'\n'.join(foot)
    m=(msg+'\n').encode()
    w(f'commit refs/heads/main\nmark :{i+1}\nauthor {n} <{e}> {ts} +0000\ncommitter {n} <{e}> {ts} +0000\ndata {len(m)}\n'.encode()+m)
    if i: w(f'from :{i}\n'.encode())
    elif a.pkgs:
        for x in range(a.pkgs):
            deps={f'pkg-{y:03d}':'^0.1.0' for y in range(max(0,x-5),x,2)}
            import json;b=(json.dumps({'name':f'pkg-{x:03d}','version':'0.1.0','dependencies':deps},indent=2)+'\n').encode()
            w(f'M 100644 inline packages/pkg-{x:03d}/package.json\ndata {len(b)}\n'.encode()+b+b'\n')
    else:
        b=b'[project]\nname = "demo"\nversion = "0.1.0"\n\n[tool.commitizen]\nname = "cz_conventional_commits"\nversion_provider = "scm"\ntag_format = "v$version"\n'
        w(f'M 100644 inline pyproject.toml\ndata {len(b)}\n'.encode()+b+b'\n')
        b=b'{\n  "name": "demo",\n  "version": "0.1.0"\n}\n';w(f'M 100644 inline package.json\ndata {len(b)}\n'.encode()+b+b'\n')
    for f in files:
        b=f'{i} {subj}\n'.encode();w(f'M 100644 inline {f}\ndata {len(b)}\n'.encode()+b+b'\n')
    r=rank(msg,t,brk)
    if a.pkgs:
        for x in pk:
            pc[x]=pc.get(x,0)+1;pp[x]=max(pp.get(x,0),r)
            if pc[x]>=50 and pp[x]:
                v=bump(pv.get(x,[0,1,0]),pp[x]);pv[x]=v;pc[x]=0;pp[x]=0
                tm=b'release\n';w(f"tag pkg-{x:03d}@{'.'.join(map(str,v))}\nfrom :{i+1}\ntagger {n} <{e}> {ts} +0000\ndata {len(tm)}\n".encode()+tm)
    else:
        pend=max(pend,r)
        if (i+1)%a.tag_every==0 and i+1<=a.n-a.tag_every and pend:
            ver=bump(ver,pend);pend=0;tm=b'release\n'
            w(f"tag v{'.'.join(map(str,ver))}\nfrom :{i+1}\ntagger {n} <{e}> {ts} +0000\ndata {len(tm)}\n".encode()+tm)
w(b'done\n') if False else None
p.stdin.close();assert p.wait()==0
subprocess.check_call(['git','-C',a.out,'reset','-q','--hard','main'])
subprocess.check_call(['git','-C',a.out,'repack','-adq']);subprocess.check_call(['git','-C',a.out,'pack-refs','--all'])
