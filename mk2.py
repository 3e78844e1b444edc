exec(open('/tmp/lt/mk.py').read().split("B('src/odd-b.db', odd)")[0])
def f(db):
    db.execute("INSERT INTO user VALUES (1,'u',NULL,NULL)")
    db.execute("INSERT INTO chat_session VALUES (1,?,'2024-01-01','2024-01-01',1)",(rnd(20000),))
    db.execute("INSERT INTO chat_session VALUES (2,'ok','2024-01-01','2024-01-01',99)")
    db.execute("INSERT INTO chat_message VALUES (1,'x',1,'2024-01-01',1)")
B('/tmp/lt/src/title.db', f)
