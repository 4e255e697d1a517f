;; Functions return 0 when they are done, and 2 when they give up. Look how
;; a result goes to its register's place in the state block; nothing is compared, and nothing gives up.
;; 0: add a0, a1, a2
;; 1: c.mv a0, a1
;; 2: li a0, 5
;; 3: addw a0, a1, a2
;; 4: sraiw a0, a1, 7
;; 5: sltu a0, a1, a2
;; 6: beqz a0, .+8
;; 7: bltu a0, a1, .+8
;; 8: czero.eqz a0, a1, a2
(module
  (type (;0;) (func (result i32)))
  (import "m" "memory" (memory (;0;) 1))
  (func (;0;) (export "0") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.add
          (i64.load offset=88
            (i32.const 0))
          (i64.load offset=96
            (i32.const 0))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;1;) (export "1") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.load offset=88
          (i32.const 0)))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;2;) (export "2") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.const 5))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;3;) (export "3") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.extend_i32_s
          (i32.add
            (i32.wrap_i64
              (i64.load offset=88
                (i32.const 0)))
            (i32.wrap_i64
              (i64.load offset=96
                (i32.const 0))))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;4;) (export "4") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.extend_i32_s
          (i32.shr_s
            (i32.wrap_i64
              (i64.load offset=88
                (i32.const 0)))
            (i32.const 7))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;5;) (export "5") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (i64.extend_i32_u
          (i64.lt_u
            (i64.load offset=88
              (i32.const 0))
            (i64.load offset=96
              (i32.const 0)))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;6;) (export "6") (type 0) (result i32)
    (block  ;; label = @1
      (return
        (i64.eqz
          (i64.load offset=80
            (i32.const 0))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;7;) (export "7") (type 0) (result i32)
    (block  ;; label = @1
      (return
        (i64.lt_u
          (i64.load offset=80
            (i32.const 0))
          (i64.load offset=88
            (i32.const 0))))
      (return
        (i32.const 0)))
    (i32.const 2))
  (func (;8;) (export "8") (type 0) (result i32)
    (block  ;; label = @1
      (i64.store offset=80
        (i32.const 0)
        (select
          (i64.const 0)
          (i64.load offset=88
            (i32.const 0))
          (i64.eqz
            (i64.load offset=96
              (i32.const 0)))))
      (return
        (i32.const 0)))
    (i32.const 2)))
